import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Schema, Stream } from "effect"
import { TestClock } from "effect/testing"
import { Pipeline } from "../../src/index.ts"
import {
  ascending,
  between,
  collect,
  complete,
  Gauge,
  inChunks,
  keyBut,
  perform,
  reasons,
  settleClock,
  Shape,
  Step,
  upTo
} from "../support/pipeline.ts"

describe("keyed", () => {
  it.effect.prop(
    "keeps the order within each key, and works on one element of a key at a time",
    {
      steps: Schema.Array(Schema.Struct({ key: between(0, 5), step: Step })).check(Schema.isMaxLength(80)),
      ...Shape
    },
    ({ concurrency, pause, size, steps }) =>
      Effect.gen(function*() {
        const busy = new Set<number>()
        const gauge = new Gauge()
        const elements = steps.map(({ key, step }, place) => ({ key, place, step }))
        const results = yield* inChunks(elements, size, pause).pipe(
          Pipeline.keyed(({ key }) => key, (element) =>
            gauge.around(Effect.gen(function*() {
              assert.isFalse(busy.has(element.key), "two of one key at once")
              busy.add(element.key)
              yield* perform(element.step)
              busy.delete(element.key)
              return element
            })), { concurrency: concurrency }),
          collect
        )
        assert.isAtMost(gauge.most, concurrency)
        assert.strictEqual(results.length, elements.length)
        for (const key of upTo(6)) {
          const of = (list: typeof elements) => list.filter((element) => element.key === key).map(({ place }) => place)
          assert.deepStrictEqual(of(results), of(elements))
        }
      })
  )

  it.effect("works on different keys at once, up to its concurrency", () =>
    Effect.gen(function*() {
      for (const [keys, concurrency] of [[1, 8], [3, 8], [8, 3], [20, 20]] as const) {
        const gauge = new Gauge()
        yield* Stream.fromIterable(upTo(100)).pipe(
          Pipeline.keyed((n) => n % keys, () => gauge.around(Effect.sleep(10)), { concurrency }),
          collect
        )
        assert.strictEqual(gauge.most, Math.min(keys, concurrency))
      }
    }))

  it.effect("loses nothing of a hot key and keeps its order, while the other keys get through", () =>
    Effect.gen(function*() {
      const count = 20_000
      const results = yield* Stream.fromIterable(upTo(count)).pipe(
        Pipeline.keyed(
          (n) => n % 100 === 7 ? n : "hot",
          (n) => n % 5_000 === 0 ? Effect.as(Effect.sleep(1), n) : Effect.succeed(n),
          {
            concurrency: 4
          }
        ),
        collect
      )
      const hot = results.filter((n) => n % 100 !== 7)
      assert.deepStrictEqual(hot, ascending(hot))
      assert.deepStrictEqual(ascending(results), upTo(count))
    }))

  it.effect("lets an element that never ends hold up its own key alone", () =>
    Effect.gen(function*() {
      const results: Array<number> = []
      const fiber = yield* inChunks(upTo(100), 10, 1).pipe(
        Pipeline.keyed((n) => n % 10, (n) => n === 3 ? Effect.never : Effect.succeed(n), { concurrency: 2 }),
        Stream.runForEach((n) => Effect.sync(() => results.push(n))),
        Effect.forkChild({ startImmediately: true })
      )
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(ascending(results), upTo(100).filter((n) => n % 10 !== 3))
      yield* Fiber.interrupt(fiber)
    }))

  it.effect("bounds how far its input runs ahead of a key that is held up", () =>
    Effect.gen(function*() {
      let pulled = 0
      const fiber = yield* Stream.range(1, 100_000).pipe(
        Stream.rechunk(1),
        Stream.map((n) => pulled = n),
        Pipeline.keyed(() => "hot", () => Effect.never, { concurrency: 4 }),
        Stream.runDrain,
        Effect.forkChild({ startImmediately: true })
      )
      yield* settleClock
      assert.isAtMost(pulled, 5_000)
      yield* Fiber.interrupt(fiber)
    }))

  it.effect("compares keys as a Map does: NaN is one key, equal objects are two", () =>
    Effect.gen(function*() {
      for (const [key, most] of [[() => Number.NaN, 1], [() => undefined, 1], [() => ({}), 3]] as const) {
        const gauge = new Gauge()
        yield* Stream.make(1, 2, 3).pipe(
          Pipeline.keyed(key, () => gauge.around(Effect.sleep(1)), { concurrency: 3 }),
          collect
        )
        assert.strictEqual(gauge.most, most)
      }
    }))

  it.effect("works through a million keys", () =>
    Effect.gen(function*() {
      const count = yield* Stream.range(1, 1_000_000).pipe(
        Pipeline.keyed((n) => n, Effect.succeed, { concurrency: 4 }),
        Stream.runCount
      )
      assert.strictEqual(count, 1_000_000)
    }), 60_000)

  // With an input that needs time, an exception in `key` once went to the scheduler, and the stream hung.
  for (const pause of [0, 1]) {
    it.effect(`fails with an exception in the key, if its input needs ${pause} ms`, () =>
      Effect.gen(function*() {
        const exit = yield* inChunks(upTo(10), 2, pause).pipe(
          Pipeline.keyed(keyBut(5), (n) => Effect.as(Effect.sleep(3), n), { concurrency: 2 }),
          Stream.runCollect,
          complete
        )
        assert.deepStrictEqual(reasons(exit), ["Die no key"])
      }))
  }
})
