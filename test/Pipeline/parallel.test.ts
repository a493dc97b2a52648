import { assert, describe, it } from "@effect/vitest"
import { Cause, Clock, Context, Effect, Fiber, Schema, Stream } from "effect"
import { TestClock } from "effect/testing"
import {
  ascending,
  between,
  collect,
  complete,
  failures,
  Gauge,
  heap,
  inChunks,
  needsNoMoreMemory,
  operators,
  overflowsNoStack,
  perform,
  reasons,
  settleClock,
  Shape,
  Step,
  toEnd,
  upTo
} from "../support/pipeline.ts"

for (const [name, operator] of operators) {
  describe(`${name}, as every parallel operator`, () => {
    it.effect.prop(
      "gives each result once, whether its effect ends at once, yields or sleeps, and in chunks of any size",
      { steps: Schema.Array(Step).check(Schema.isMaxLength(60)), ...Shape },
      ({ concurrency, pause, size, steps }) =>
        Effect.gen(function*() {
          const gauge = new Gauge()
          const results = yield* inChunks(upTo(steps.length), size, pause).pipe(
            operator((n) => gauge.around(Effect.as(perform(steps[n] ?? assert.fail()), n * 2)), concurrency),
            collect
          )
          assert.deepStrictEqual(ascending(results), upTo(steps.length).map((n) => n * 2))
          assert.isAtMost(gauge.most, concurrency)
          assert.strictEqual(gauge.running, 0)
        })
    )

    it.effect.prop(
      "works on as many elements at once as it may, and never on more",
      { count: between(1, 60), ...Shape, pause: Schema.Literal(0) },
      ({ concurrency, count, pause, size }) =>
        Effect.gen(function*() {
          const gauge = new Gauge()
          const since = yield* Clock.currentTimeMillis
          const ended = yield* inChunks(upTo(count), size, pause).pipe(
            operator((n) => gauge.around(Effect.as(Effect.sleep(10), n)), concurrency),
            Stream.runDrain,
            Effect.andThen(Clock.currentTimeMillis),
            toEnd
          )
          assert.strictEqual(gauge.most, Math.min(concurrency, count))
          assert.strictEqual(ended - since, 10 * Math.ceil(count / concurrency))
        })
    )

    it.effect("is empty if its input is empty", () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* Stream.empty.pipe(operator(Effect.succeed, 3), collect), [])
        const late = Stream.fromEffect(Effect.sleep(10)).pipe(Stream.flatMap(() => Stream.empty))
        assert.deepStrictEqual(yield* late.pipe(operator(Effect.succeed, 3), collect), [])
      }))

    it.effect("fails if its input fails at once", () =>
      Effect.gen(function*() {
        const exit = yield* Stream.fail("broken").pipe(operator(Effect.succeed, 3), Stream.runCollect, complete)
        assert.deepStrictEqual(reasons(exit), ["Fail broken"])
      }))

    it.effect("fails if its input fails or dies later, after the finalizers of what was under way", () =>
      Effect.gen(function*() {
        for (const [, failure, reason] of failures) {
          const gauge = new Gauge()
          const exit = yield* inChunks(upTo(5), 2, 1).pipe(
            Stream.concat(Stream.fromEffect(Effect.suspend(failure))),
            operator((n) => gauge.around(Effect.as(Effect.sleep(100), n)), 3),
            Stream.runCollect,
            Effect.exit,
            Effect.map((exit) => ({ exit, running: gauge.running })),
            toEnd
          )
          assert.deepStrictEqual(reasons(exit.exit), [reason])
          assert.strictEqual(exit.running, 0)
        }
      }))

    for (const [what, failure, reason] of failures) {
      it.effect(`fails with ${what}, and interrupts the rest, whose finalizers run before it ends`, () =>
        Effect.gen(function*() {
          let begun = 0
          let interrupted = 0
          const exit = yield* inChunks(upTo(100), 10, 0).pipe(
            operator((n) => {
              begun++
              if (n === 5) return Effect.flatMap(Effect.sleep(10), failure)
              return Effect.onInterrupt(
                Effect.never,
                () => Effect.andThen(Effect.sleep(50), Effect.sync(() => interrupted++))
              )
            }, 8),
            Stream.runCollect,
            Effect.exit,
            Effect.map((exit) => ({ exit, interrupted })),
            toEnd
          )
          assert.deepStrictEqual(reasons(exit.exit), [reason])
          assert.deepStrictEqual([begun, exit.interrupted], [8, 7])
        }))

      it.effect(`fails with ${what} of the first element if nothing needs any time`, () =>
        Effect.gen(function*() {
          let begun = 0
          const exit = yield* inChunks(upTo(100), 10, 0).pipe(
            operator(() => {
              begun++
              return failure()
            }, 8),
            Stream.runCollect,
            complete
          )
          assert.deepStrictEqual(reasons(exit), [reason])
          assert.strictEqual(begun, 1)
        }))
    }

    it.effect("fails with the failure that comes first", () =>
      Effect.gen(function*() {
        const exit = yield* inChunks(upTo(10), 10, 0).pipe(
          operator((n) => Effect.flatMap(Effect.sleep(100 - n), () => Effect.fail(`${n} is broken`)), 10),
          Stream.runCollect,
          complete
        )
        assert.deepStrictEqual(reasons(exit), ["Fail 9 is broken"])
      }))

    it.effect("lets a failure be caught once everything under way has ended", () =>
      Effect.gen(function*() {
        const gauge = new Gauge()
        const results = yield* inChunks(upTo(10), 10, 0).pipe(
          operator((n) => n === 3 ? Effect.fail("broken") : gauge.around(Effect.as(Effect.sleep(10), n)), 4),
          Stream.catch(() => Stream.sync(() => gauge.running)),
          collect
        )
        assert.strictEqual(results.at(-1), 0)
      }))

    it.effect("interrupts everything under way at an interrupt, and waits for it", () =>
      Effect.gen(function*() {
        const gauge = new Gauge()
        const fiber = yield* inChunks(upTo(100), 10, 0).pipe(
          operator(
            (): Effect.Effect<number> => gauge.around(Effect.onInterrupt(Effect.never, () => Effect.sleep(50))),
            6
          ),
          Stream.runDrain,
          Effect.forkChild({ startImmediately: true })
        )
        yield* settleClock
        const { running } = gauge
        yield* toEnd(Fiber.interrupt(fiber))
        assert.deepStrictEqual([running, gauge.running, gauge.begun], [6, 0, 6])
      }))

    it.effect("interrupts what is under way, and ends the input, before an early end downstream", () =>
      Effect.gen(function*() {
        const gauge = new Gauge()
        const trace: Array<string> = []
        const note = (what: string) => Effect.sync(() => trace.push(what))
        yield* inChunks(upTo(100), 10, 0).pipe(
          Stream.ensuring(note("input")),
          operator((n) =>
            n === 0
              ? Effect.as(Effect.sleep(10), n)
              : gauge.around(Effect.onInterrupt(Effect.never, () => Effect.andThen(Effect.sleep(5), note("work")))), 4),
          Stream.take(1),
          Stream.runDrain,
          Effect.andThen(note("end")),
          toEnd
        )
        assert.isAtLeast(gauge.begun, 3)
        assert.strictEqual(gauge.running, 0)
        assert.deepStrictEqual(trace.toSorted(), ["end", "input", ...upTo(gauge.begun).map(() => "work")])
        assert.strictEqual(trace.at(-1), "end")
      }))

    // once the stream is being closed no element begins, however long the others take to end
    it.effect("begins nothing once downstream has ended early", () =>
      Effect.gen(function*() {
        let begun = 0
        let atEnd = -1
        yield* inChunks(upTo(100), 100, 0).pipe(
          operator((n) => {
            begun++
            return Effect.onInterrupt(Effect.as(Effect.sleep(n === 0 ? 10 : 20 + n), n), () => Effect.sleep(100))
          }, 8),
          Stream.map(() => atEnd = begun),
          Stream.take(1),
          Stream.runDrain,
          toEnd
        )
        assert.strictEqual(begun, atEnd)
      }))

    it.effect("begins nothing once it is interrupted", () =>
      Effect.gen(function*() {
        let begun = 0
        const fiber = yield* inChunks(upTo(100), 100, 0).pipe(
          operator((n) => {
            begun++
            return Effect.onInterrupt(Effect.as(Effect.sleep(20 + n), n), () => Effect.sleep(100))
          }, 8),
          Stream.runDrain,
          Effect.forkChild({ startImmediately: true })
        )
        yield* settleClock
        const before = begun
        yield* toEnd(Fiber.interrupt(fiber))
        assert.deepStrictEqual([before, begun], [8, 8])
      }))

    // what is under way is interrupted at the same time, so that a cancel needs as long as the slowest of it
    it.effect("runs the finalizers of what is under way side by side", () =>
      Effect.gen(function*() {
        const fiber = yield* inChunks(upTo(100), 100, 0).pipe(
          operator((): Effect.Effect<number> => Effect.onInterrupt(Effect.never, () => Effect.sleep("1 second")), 16),
          Stream.runDrain,
          Effect.forkChild({ startImmediately: true })
        )
        yield* settleClock
        const since = yield* Clock.currentTimeMillis
        const ended = yield* toEnd(Effect.andThen(Fiber.interrupt(fiber), Clock.currentTimeMillis))
        assert.strictEqual(ended - since, 1_000)
      }))

    it.effect("waits for what may not be interrupted", () =>
      Effect.gen(function*() {
        let ended = 0
        const fiber = yield* inChunks(upTo(4), 1, 0).pipe(
          operator(() => Effect.uninterruptible(Effect.map(Effect.sleep(50), () => ended++)), 4),
          Stream.runDrain,
          Effect.forkChild({ startImmediately: true })
        )
        yield* settleClock
        yield* toEnd(Fiber.interrupt(fiber))
        assert.strictEqual(ended, 4)
      }))

    it.effect("lets a slow consumer hold back the work, and the work its input", () =>
      Effect.gen(function*() {
        for (const [concurrency, size] of [[1, 1], [8, 1], [8, 100], [300, 7]] as const) {
          let pulled = 0
          let begun = 0
          const fiber = yield* Stream.fromIterable(upTo(20_000)).pipe(
            Stream.rechunk(size),
            Stream.mapArray((chunk) => {
              pulled += chunk.length
              return chunk
            }),
            operator((n) =>
              Effect.sync(() => {
                begun++
                return n
              }), concurrency),
            Stream.runForEach(() => Effect.never),
            Effect.forkChild({ startImmediately: true })
          )
          yield* settleClock
          // one chunk of results is with the consumer, one waits
          const most = 2 * (256 + concurrency)
          assert.isAtMost(begun, most, `begun at a concurrency of ${concurrency}`)
          assert.isAtMost(pulled, begun + size, `pulled at a concurrency of ${concurrency}`)
          yield* Fiber.interrupt(fiber)
        }
      }))

    it.effect("delivers everything to a slow consumer", () =>
      Effect.gen(function*() {
        const results: Array<number> = []
        yield* inChunks(upTo(2_000), 10, 0).pipe(
          operator((n) => n % 3 === 0 ? Effect.as(Effect.sleep(n % 7), n) : Effect.succeed(n), 5),
          Stream.runForEach((n) => Effect.map(n % 100 === 0 ? Effect.sleep(50) : Effect.void, () => results.push(n))),
          toEnd
        )
        assert.deepStrictEqual(ascending(results), upTo(2_000))
      }))

    it.effect("takes any whole number from 1 as its bound, and no bound at all", () =>
      Effect.gen(function*() {
        // also where it is ordered
        for (const concurrency of [1, 2, 255, 256, 257, 100_000, 2 ** 31, Number.MAX_SAFE_INTEGER, Infinity]) {
          const gauge = new Gauge()
          const results = yield* inChunks(upTo(600), 100, 0).pipe(
            operator((n) => gauge.around(Effect.as(Effect.sleep(1), n)), concurrency),
            collect
          )
          assert.deepStrictEqual(ascending(results), upTo(600), `concurrency ${concurrency}`)
          assert.strictEqual(gauge.most, Math.min(600, concurrency))
        }
      }))

    // `feedback` too refuses where it is written, not when the stream is run
    it("refuses any other bound by name, as soon as it is written", () => {
      for (const concurrency of [0, -1, 1.5, Number.NaN, -Infinity, 2 ** 53]) {
        try {
          operator(Effect.succeed, concurrency)
        } catch (error) {
          if (!Cause.isIllegalArgumentError(error)) throw error
          assert.strictEqual(
            error.message,
            `concurrency is ${concurrency}; expected a whole number of at least 1, or "unbounded"`
          )
          continue
        }
        assert.fail(`${concurrency} was accepted`)
      }
    })

    it.effect("takes the services of its effect from the stream, and from the fiber that runs it", () =>
      Effect.gen(function*() {
        class Factor extends Context.Service<Factor, { readonly by: number }>()("test/Factor") {}
        const Plus = Context.Reference("test/Plus", { defaultValue: () => 0 })
        const scaled = inChunks(upTo(4), 2, 1).pipe(
          operator((n) =>
            Effect.gen(function*() {
              yield* Effect.sleep(1)
              return n * (yield* Factor).by + (yield* Plus)
            }), 2)
        )
        const inStream = yield* scaled.pipe(Stream.provideService(Factor, { by: 10 }), collect)
        assert.deepStrictEqual(ascending(inStream), [0, 10, 20, 30])
        const inFiber = yield* collect(scaled).pipe(
          Effect.provideService(Factor, { by: 2 }),
          Effect.provideService(Plus, 1)
        )
        assert.deepStrictEqual(ascending(inFiber), [1, 3, 5, 7])
      }))

    it.effect("runs one stream many times, also at the same time", () =>
      Effect.gen(function*() {
        const stream = inChunks(upTo(50), 7, 1).pipe(operator((n) => Effect.as(Effect.sleep(n % 5), n), 3))
        const runs = yield* toEnd(
          Effect.all([Stream.runCollect(stream), Stream.runCollect(stream), Stream.runCollect(stream)], {
            concurrency: "unbounded"
          })
        )
        const again = yield* collect(stream)
        for (const run of [...runs, again]) assert.deepStrictEqual(ascending(run), upTo(50))
      }))

    it.effect("works within itself, within flatMap and within merge", () =>
      Effect.gen(function*() {
        const double = operator((n) => Effect.as(Effect.sleep(n % 4), n * 2), 3)
        const nested = yield* inChunks(upTo(20), 3, 1).pipe(
          operator((n) =>
            Effect.map(Stream.runCollect(double(Stream.make(n * 2, n * 2 + 1))), (both) =>
              both.reduce((a, b) =>
                a + b, 0)), 4),
          collect
        )
        assert.deepStrictEqual(
          ascending(nested),
          upTo(20).map((n) =>
            (4 * n + 1) * 2
          )
        )
        const flat = yield* inChunks(upTo(20), 3, 1).pipe(
          Stream.flatMap((n) => double(Stream.make(n * 2, n * 2 + 1)), { concurrency: 3 }),
          double,
          collect
        )
        assert.deepStrictEqual(ascending(flat), upTo(40).map((n) => n * 4))
        const merged = yield* Stream.merge(double(inChunks([0, 1, 2, 3], 2, 1)), double(inChunks([4, 5, 6, 7], 1, 2)))
          .pipe(double, collect)
        assert.deepStrictEqual(ascending(merged), upTo(8).map((n) => n * 4))
      }))

    it.effect("fails with a failure deep inside, and nothing inside goes on", () =>
      Effect.gen(function*() {
        const gauge = new Gauge()
        const inner = (n: number) =>
          inChunks([10 * n, 10 * n + 1, 10 * n + 2], 1, 1).pipe(
            operator((m) => m === 31 ? Effect.fail("broken") : gauge.around(Effect.as(Effect.sleep(5), m)), 2),
            Stream.runDrain
          )
        const exit = yield* inChunks(upTo(9), 4, 0).pipe(
          operator((n) => Effect.as(inner(n), n), 3),
          Stream.runDrain,
          complete
        )
        assert.deepStrictEqual(reasons(exit), ["Fail broken"])
        const { begun, running } = gauge
        yield* TestClock.adjust("1 minute")
        assert.deepStrictEqual([running, gauge.begun], [0, begun])
      }))

    // what bounds the work at all is the number of its elements
    it.effect("without a bound costs no more than its elements", () =>
      Effect.gen(function*() {
        const before = heap()
        let most = 0
        const work = (n: number) =>
          Effect.suspend(() => {
            if (n === 299) most = heap() - before
            return Effect.as(Effect.sleep(1), n)
          })
        const count = yield* Stream.fromIterable(upTo(300)).pipe(
          Stream.flatMap((n) => Stream.make(n, n + 1).pipe(operator(work, Infinity)), { concurrency: 300 }),
          Stream.runCount,
          toEnd
        )
        assert.strictEqual(count, 600)
        assert.isBelow(most, 50_000_000)
      }), 60_000)

    it.effect("overflows no stack, in one chunk and in chunks of 1", () => overflowsNoStack(operator, 100_000))

    it.effect("needs no more memory for many elements than for few", () => needsNoMoreMemory(operator, 200_000))
  })
}
