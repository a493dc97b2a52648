// A program of its own under `runMain`: what it does is its first argument.
import { Environment, LocalEnvironment, runMain } from "autostop"
import { Effect, Layer } from "effect"
import life from "./life.ts"
import minute from "./minute.ts"

const [act = "end"] = process.argv.slice(2)

const job = Effect.gen(function*() {
  const run = yield* Environment.submit(life, { act: act === "hung" ? "wait" : "end", open: "well", close: "well" })
  const { report } = yield* run.result
  yield* Effect.sync(() => process.stdout.write(`report ${report.trigger} ${report.outcome} ${report.clean}\n`))
})

const finalizer = Layer.effectDiscard(Effect.acquireRelease(
  Effect.sync(() => process.stdout.write("opened plain\n")),
  () => act === "never" ? Effect.never : Effect.sync(() => process.stdout.write("closed plain\n"))
))

runMain(
  act === "plain" || act === "never"
    ? Layer.launch(finalizer)
    : act === "fail"
    ? Effect.die(new Error("the program failed"))
    : act === "odd"
    ? Effect.die(new Proxy({}, new Proxy({}, { get: () => process.exit })))
    : act === "minute"
    ? Environment.run(minute, {}).pipe(Effect.provide(LocalEnvironment.layer))
    : job.pipe(Effect.scoped, Effect.provide(LocalEnvironment.layer))
)
