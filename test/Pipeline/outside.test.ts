import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Logger, ManagedRuntime, Stream } from "effect"
import { Pipeline } from "../../src/index.ts"
import { after, countsOf, Endless, inJob } from "../support/pipeline.ts"

/** Runs a stream outside of the fibers of the job that it was made in, to its end. */
const runners: Readonly<
  Record<string, (stream: Stream.Stream<number>, sink: (n: number) => void) => Promise<unknown>>
> = {
  "toAsyncIterable": async (stream, sink) => {
    for await (const n of Stream.toAsyncIterable(stream)) sink(n)
  },
  "toReadableStream": async (stream, sink) => {
    for await (const n of Stream.toReadableStream(stream)) sink(n)
  },
  "runPromise": (stream, sink) => Effect.runPromise(Stream.runForEach(stream, (n) => Effect.sync(() => sink(n)))),
  "a ManagedRuntime": async (stream, sink) => {
    const runtime = ManagedRuntime.make(Layer.empty)
    await runtime.runPromise(Stream.runForEach(stream, (n) => Effect.sync(() => sink(n))))
    await runtime.dispose()
  }
}

/** Elements that come without a clock: another runtime has another one. */
const numbers = (count: { emitted: number }) =>
  Stream.fromEffectRepeat(Effect.promise(() => new Promise<number>((resolve) => setImmediate(resolve, 1)))).pipe(
    Pipeline.source("in"),
    Stream.map(() => ++count.emitted),
    Pipeline.stage("counted"),
    Pipeline.mapParallel((n) => Effect.as(Effect.yieldNow, n), { concurrency: 3, name: "mapped" })
  )

describe("a source whose stream is run outside of the job's fibers", () => {
  for (const [name, run] of Object.entries(runners)) {
    it.effect(`by ${name} is ended by a drain and counted, because it was made in the run`, () =>
      Effect.gen(function*() {
        const count = { emitted: 0 }
        const delivered: Array<number> = []
        let stop: Effect.Effect<void> = Effect.void
        const { report } = yield* inJob(
          () =>
            Effect.promise(() =>
              run(numbers(count), (n) => {
                delivered.push(n)
                if (n >= 20) Effect.runFork(stop)
              })
            ),
          (run) =>
            Effect.sync(() => {
              stop = run.stop()
            }),
          { stopPolicy: { strategy: "patient" } }
        )
        assert.isAtLeast(count.emitted, 20)
        assert.deepStrictEqual(delivered, Array.from({ length: count.emitted }, (_, i) => i + 1))
        const n = count.emitted
        assert.deepStrictEqual(countsOf(report), [`in ${n}`, `counted ${n}`, `mapped ${n}`])
        assert.deepStrictEqual(report.phases.map(({ phase, timedOut }) => [phase, timedOut]), [["drain", false]])
        assert.strictEqual(report.outcome, "succeeded")
      }))
  }

  it.effect("and was made elsewhere says so once, while a job runs", () =>
    Effect.gen(function*() {
      const logged: Array<string> = []
      const logger = Logger.make(({ message }) => void logged.push(String(message)))
      const stray = Stream.make(1, 2).pipe(Pipeline.source("stray"))
      const run = Effect.runPromiseWith(yield* Effect.context<never>())
      const outside = () =>
        run(Stream.runDrain(stray).pipe(Effect.updateContext(() => withLogger)) as Effect.Effect<void>)
      const withLogger = yield* Layer.build(Logger.layer([logger]))
      yield* Effect.promise(outside)
      assert.deepStrictEqual(logged, [])
      const { report } = yield* inJob(() => Effect.andThen(Effect.promise(outside), Effect.promise(outside)))
      assert.strictEqual(logged.length, 1)
      assert.match(logged[0] ?? "", /^the source "stray" runs outside of the fibers of a job.*make its stream within/)
      assert.deepStrictEqual(report.stages, [])
    }).pipe(Effect.scoped))

  it.effect("after its job has stopped flows as outside of a job", () =>
    Effect.gen(function*() {
      let kept: Stream.Stream<number> = Stream.empty
      yield* inJob(() => {
        kept = Stream.make(1, 2, 3).pipe(Pipeline.source("kept"))
        return Stream.never.pipe(Pipeline.source("in"), Stream.runDrain)
      }, after(10))
      assert.deepStrictEqual(yield* Stream.runCollect(kept), [1, 2, 3])
    }))
})

describe("a source within", () => {
  for (
    const [name, share] of [
      ["share", Stream.share({ capacity: 16 })],
      ["broadcast", Stream.broadcast({ capacity: 16 })]
    ] as const
  ) {
    it.effect(`${name} is ended by a drain, and its consumers get all that it has emitted`, () =>
      Effect.gen(function*() {
        const endless = new Endless()
        const delivered: [Array<number>, Array<number>] = [[], []]
        const { at, report } = yield* inJob(
          () =>
            Effect.gen(function*() {
              const shared = yield* share(
                Stream.concat(Stream.fromEffectDrain(Effect.sleep(1)), endless.open("in", 3, 10))
              )
              yield* Effect.forEach(
                delivered,
                (sink) =>
                  Stream.runForEach(shared, (n) => Effect.andThen(Effect.sleep(2), Effect.sync(() => sink.push(n)))),
                { concurrency: 2 }
              )
            }),
          after(105)
        )
        assert.isAbove(endless.emitted.length, 20)
        assert.deepStrictEqual(delivered[0], endless.emitted)
        assert.deepStrictEqual(delivered[1], endless.emitted)
        assert.isBelow(at, 150)
        assert.strictEqual(report.outcome, "succeeded")
      }))
  }

  it.effect("a detached fiber is ended by a drain, as long as the run waits for that fiber", () =>
    Effect.gen(function*() {
      const endless = new Endless()
      let delivered = 0
      const consume = Stream.runForEach(
        endless.open("in", 3, 10),
        () => Effect.andThen(Effect.sleep(2), Effect.sync(() => delivered++))
      )
      const { report } = yield* inJob(() => Effect.flatMap(Effect.forkDetach(consume), Fiber.join), after(105))
      assert.strictEqual(delivered, endless.emitted.length)
      assert.strictEqual(report.outcome, "succeeded")
    }))
})
