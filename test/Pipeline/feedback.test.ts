import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Fiber, Schema, Stream } from "effect"
import { TestClock } from "effect/testing"
import { Pipeline } from "../../src/index.ts"
import { ascending, between, collect, Gauge, inChunks, perform, Shape, Step, toEnd, upTo } from "../support/pipeline.ts"

describe("feedback", () => {
  it.effect.prop(
    "ends when its input has ended and nothing goes round any longer",
    {
      seeds: Schema.Array(between(0, 12)).check(Schema.isMaxLength(12)),
      step: Step,
      ...Shape
    },
    ({ concurrency, pause, seeds, size, step }) =>
      Effect.gen(function*() {
        const gauge = new Gauge()
        const results = yield* inChunks(seeds, size, pause).pipe(
          Pipeline.feedback(
            (n: number) => Effect.as(gauge.around(perform(step)), { emit: [n], again: n > 0 ? [n - 1] : [] }),
            { concurrency }
          ),
          collect
        )
        assert.deepStrictEqual(ascending(results), ascending(seeds.flatMap((seed) => upTo(seed + 1))))
        assert.isAtMost(gauge.most, concurrency)
      })
  )

  it.effect("takes turns that give nothing, several results, or several elements that go round", () =>
    Effect.gen(function*() {
      const results = yield* Stream.make(6).pipe(
        Pipeline.feedback((n: number) =>
          Effect.succeed(n <= 1 ? { emit: [n, n] } : n === 4 ? {} : { again: [n - 1, n - 2] })
        ),
        collect
      )
      // 6 → 5, 4; 5 → 4, 3; 3 → 2, 1; 2 → 1, 0; each 4 ends without a result
      assert.deepStrictEqual(ascending(results), [0, 0, 1, 1, 1, 1])
    }))

  it.effect("works on what goes round with its whole concurrency", () =>
    Effect.gen(function*() {
      const gauge = new Gauge()
      const since = yield* Clock.currentTimeMillis
      const ended = yield* Stream.make(5).pipe(
        Pipeline.feedback(
          (n: number) => gauge.around(Effect.as(Effect.sleep(10), n === 0 ? { emit: [n] } : { again: [n - 1, n - 1] })),
          { concurrency: 8 }
        ),
        Stream.runCount,
        Effect.flatMap((count) => Effect.map(Clock.currentTimeMillis, (at) => ({ at, count }))),
        toEnd
      )
      // 1, 2, 4, 8, 16 and 32 elements
      assert.deepStrictEqual(ended, { at: since + 10 * (1 + 1 + 1 + 1 + 2 + 4), count: 32 })
      assert.strictEqual(gauge.most, 8)
    }))

  it.effect("works on what goes round while the input waits", () =>
    Effect.gen(function*() {
      const results: Array<number> = []
      const fiber = yield* Stream.concat(Stream.make(3), Stream.never).pipe(
        Pipeline.feedback((n: number) => Effect.as(Effect.sleep(1), { emit: [n], again: n > 0 ? [n - 1] : [] })),
        Stream.runForEach((n) => Effect.sync(() => results.push(n))),
        Effect.forkChild({ startImmediately: true })
      )
      yield* TestClock.adjust("1 day")
      assert.deepStrictEqual(results, [3, 2, 1, 0])
      assert.isUndefined(fiber.pollUnsafe(), "it ended before its input")
      yield* Fiber.interrupt(fiber)
    }))

  it.effect("lets one element go round a million times", () =>
    Effect.gen(function*() {
      const results = yield* Stream.make(1_000_000).pipe(
        Pipeline.feedback((n: number) => Effect.succeed(n === 0 ? { emit: ["out"] } : { again: [n - 1] })),
        Stream.runCollect
      )
      assert.deepStrictEqual(results, ["out"])
    }), 60_000)

  it.effect("gives each run of one stream a loop of its own", () =>
    Effect.gen(function*() {
      const stream = Stream.make(3).pipe(
        Pipeline.feedback((n: number) => Effect.as(Effect.sleep(1), { emit: [n], again: n > 0 ? [n - 1] : [] }))
      )
      const runs = yield* toEnd(
        Effect.all([Stream.runCollect(stream), Stream.runCollect(stream)], { concurrency: 2 })
      )
      assert.deepStrictEqual(runs, [[3, 2, 1, 0], [3, 2, 1, 0]])
    }))

  // Without a yield it would be one turn of the event loop, which no signal could interrupt.
  it.effect("lets other fibers run even if it emits nothing and nothing needs time", () =>
    Effect.gen(function*() {
      let turns = 0
      const fiber = yield* Stream.range(1, 200_000).pipe(
        Stream.rechunk(1),
        Pipeline.feedback(() =>
          Effect.sync(() => {
            turns++
            return {}
          })
        ),
        Stream.runDrain,
        Effect.forkChild({ startImmediately: true })
      )
      assert.isBelow(turns, 200_000)
      yield* Fiber.join(fiber)
      assert.strictEqual(turns, 200_000)
    }))
})
