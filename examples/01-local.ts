// One job with one service, in this process. Run it: `node examples/01-local.ts`
import { Environment, Job, LocalEnvironment, Pipeline, runMain, Service, StopReport } from "autostop"
import { Console, Context, Effect, Schema, Stream } from "effect"

class Greeter extends Context.Service<Greeter, {
  readonly greet: (name: string) => Effect.Effect<string>
}>()("examples/Greeter") {
  static readonly layer = Service.layer(
    Greeter,
    Effect.gen(function*() {
      yield* Effect.acquireRelease(Console.log("greeter: opened"), () => Console.log("greeter: closed"))
      return Greeter.of({ greet: (name) => Effect.succeed(`Hello, ${name}!`) })
    })
  )
}

const greetings = Job.make("greetings", {
  payload: { names: Schema.Array(Schema.String) },
  success: Schema.Int,
  services: Greeter.layer,
  run: ({ names }) =>
    Stream.fromIterable(names).pipe(
      Pipeline.source("names"),
      Pipeline.mapParallel((name) => Greeter.use((greeter) => greeter.greet(name)), { concurrency: 4 }),
      Pipeline.stage("greeted"),
      Stream.tap(Console.log),
      Stream.runCount
    )
})

export default greetings

const program = Effect.gen(function*() {
  const run = yield* Environment.submit(greetings, { names: ["Ada", "Grace", "Barbara"] }, { autostop: true })
  const { report } = yield* run.result
  yield* Console.log(StopReport.render(report))
})

if (import.meta.main) runMain(program.pipe(Effect.scoped, Effect.provide(LocalEnvironment.layer)))
