// A release that hangs holds up no other. The exit code is 3: not clean. Run it: `node examples/04-stop-policy.ts`
import { Environment, Job, LocalEnvironment, Pipeline, runMain, Service, StopReport } from "autostop"
import { Console, Effect, Layer, Stream } from "effect"

/** A layer with something to close. */
const closing = (release: Effect.Effect<void>) => Layer.effectDiscard(Effect.acquireRelease(Effect.void, () => release))

const database = Service.manage("database", closing(Console.log("database: closed")))

/** Its release never ends, and has a limit of its own. The others have the limit of the policy. */
const broker = Service.manage(
  "broker",
  closing(Effect.andThen(Console.log("broker: waiting for a goodbye"), Effect.never)),
  { stop: { timeout: "200 millis" } }
).pipe(Layer.provide(database))

const metrics = Service.manage(
  "metrics",
  closing(Effect.andThen(Effect.sleep("50 millis"), Console.log("metrics: sent")))
)

const job = Job.make("policies", {
  services: Layer.mergeAll(broker, metrics),
  stopPolicy: { strategy: "fast", releaseTimeout: "2 seconds" }, // fast: no drain
  run: () => Stream.tick("10 millis").pipe(Pipeline.source("ticks"), Stream.runDrain)
})

export default job

const program = Effect.gen(function*() {
  // the settings of a submit win over the job's own; limits that do not fit are refused before anything starts
  const refusal = yield* Effect.flip(Environment.submit(job, {}, { stopPolicy: { deadline: "500 millis" } }))
  yield* Console.log(`refused: ${refusal.message}`)

  const run = yield* Environment.submit(job, {}, {
    autostop: { after: "100 millis" },
    stopPolicy: { deadline: "3 seconds" } // all phases share it
  })
  const { report } = yield* run.result
  const took = report.phases.reduce((sum, { durationMs }) => sum + durationMs, 0)
  yield* Console.log(`the stop took ${Math.round(took)} ms of 3000 ms`)
  yield* Console.log(StopReport.render(report))
})

if (import.meta.main) runMain(program.pipe(Effect.scoped, Effect.provide(LocalEnvironment.layer)))
