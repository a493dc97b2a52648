// Drains an endless stream: what it has emitted still arrives. Run it: `node examples/03-drain-a-stream.ts`
import { Environment, Job, LocalEnvironment, Pipeline, runMain, Service } from "autostop"
import { Console, Context, Effect, Latch, Layer, Queue, Stream } from "effect"

/** A queue that a fiber fills for as long as the service lives. */
class Feed extends Context.Service<Feed, Queue.Dequeue<number>>()("Feed") {
  static readonly layer = Service.layer(
    Feed,
    Effect.gen(function*() {
      const queue = yield* Queue.bounded<number>(16)
      let next = 0
      yield* Effect.forkScoped(Effect.forever(Effect.suspend(() => Queue.offer(queue, next++))))
      return queue
    })
  )
}

type Insert = (row: string) => Effect.Effect<void>
class Warehouse extends Context.Service<Warehouse, { readonly insert: Insert }>()("Warehouse") {
  static readonly layer = Service.layer(
    Warehouse,
    Effect.gen(function*() {
      let rows = 0
      yield* Effect.addFinalizer(() => Console.log(`the warehouse closes with ${rows} rows`))
      return { insert: () => Effect.suspend(() => ++rows === 100 ? Effect.asVoid(busy.open) : Effect.void) }
    })
  )
}

/** Opens at the hundredth row, when others are still on their way through the pipeline. */
const busy = Latch.makeUnsafe()

const job = Job.make("drain", {
  services: Layer.mergeAll(Feed.layer, Warehouse.layer),
  run: () =>
    Stream.unwrap(Effect.map(Feed, Stream.fromQueue)).pipe(
      Pipeline.source("feed"), // the drain ends the stream here
      Pipeline.mapParallel((n) => Effect.as(Effect.sleep("5 millis"), `row ${n}`), {
        concurrency: 8,
        name: "enriched"
      }),
      Stream.runForEach((row) => Warehouse.use((warehouse) => warehouse.insert(row)))
    )
})

export default job

const program = Effect.gen(function*() {
  const run = yield* Environment.submit(job, {}, { autostop: false })
  yield* busy.await
  yield* run.stop({ mode: "drain", reason: "a hundred rows are enough" })
  const { report } = yield* run.result
  for (const { count, dropped = 0, kind, name } of report.stages) {
    yield* Console.log(`${kind} ${name}: ${count} elements, ${dropped} dropped`)
  }
  yield* Console.log(`${report.outcome}, ${report.trigger} because ${report.reason}`)
})

if (import.meta.main) runMain(program.pipe(Effect.scoped, Effect.provide(LocalEnvironment.layer)))
