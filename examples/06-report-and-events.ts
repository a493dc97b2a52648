// Prints the events as they happen, and the report at the end. Run it: `node examples/06-report-and-events.ts`
import { Environment, Job, LocalEnvironment, Pipeline, runMain, Service, StopReport } from "autostop"
import { Console, Context, Effect, Fiber, Schema, Stream } from "effect"

class Ledger extends Context.Service<Ledger, { readonly add: (amount: number) => Effect.Effect<void> }>()("Ledger") {
  static readonly layer = Service.layer(
    Ledger,
    Effect.gen(function*() {
      let total = 0
      yield* Effect.addFinalizer(() =>
        Effect.andThen(Effect.sleep("20 millis"), Effect.suspend(() => Console.log(`  the ledger closes at ${total}`)))
      )
      return {
        add: Effect.fnUntraced(function*(amount) {
          yield* Effect.sleep("20 millis")
          yield* Console.log(`  the ledger is at ${total += amount}`)
        })
      }
    })
  )
}

const job = Job.make("report", {
  payload: { amounts: Schema.Array(Schema.Int) },
  services: Ledger.layer,
  run: ({ amounts }) =>
    Stream.fromIterable(amounts).pipe(
      Pipeline.source("amounts"),
      Stream.runForEach((amount) => Ledger.use((ledger) => ledger.add(amount)))
    )
})

export default job

const program = Effect.gen(function*() {
  const run = yield* Environment.submit(job, { amounts: [1, 2, 3] })
  // a reader gets all events, from JobSubmitted to JobStopped, whenever it begins to read
  const follower = yield* Effect.forkChild(
    Stream.runForEach(run.events, (event) => {
      const what = "service" in event ? ` ${event.service}` : "phase" in event ? ` ${event.phase}` : ""
      return Console.log(event._tag + what)
    }),
    { startImmediately: true }
  )
  const { report } = yield* run.result
  yield* Fiber.join(follower)

  const json = JSON.stringify(report, null, 2) // a report is its own JSON encoding
  yield* Console.log(json)
  const decoded = yield* Schema.decodeEffect(Schema.fromJsonString(StopReport))(json)
  yield* Console.log(StopReport.render(decoded))
})

if (import.meta.main) runMain(program.pipe(Effect.scoped, Effect.provide(LocalEnvironment.layer)))
