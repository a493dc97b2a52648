import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Schema, Stream } from "effect"
import { Pipeline } from "../../src/index.ts"
import { ascending, collect, inChunks, perform, Shape, Step, toEnd, upTo } from "../support/pipeline.ts"

describe("mapParallel", () => {
  it.effect.prop(
    "emits results in the order of their elements, however long each takes",
    { steps: Schema.Array(Step).check(Schema.isMaxLength(60)), ...Shape },
    ({ concurrency, pause, size, steps }) =>
      Effect.gen(function*() {
        const results = yield* inChunks(upTo(steps.length), size, pause).pipe(
          Pipeline.mapParallel((n) => Effect.as(perform(steps[n] ?? assert.fail()), n), { concurrency }),
          collect
        )
        assert.deepStrictEqual(results, upTo(steps.length))
      })
  )

  it.effect("keeps the order over many times its buffer, behind one slow element after the other", () =>
    Effect.gen(function*() {
      const results = yield* inChunks(upTo(5_000), 50, 0).pipe(
        Pipeline.mapParallel((n) => n % 700 === 0 ? Effect.as(Effect.sleep(1_000), n) : Effect.succeed(n), {
          concurrency: 3
        }),
        collect
      )
      assert.deepStrictEqual(results, upTo(5_000))
    }))

  it.effect("emits results as they come if they need not be ordered", () =>
    Effect.gen(function*() {
      for (const [unordered, expected] of [[undefined, [1, 2, 3]], [false, [1, 2, 3]], [true, [3, 2, 1]]] as const) {
        const results = yield* Stream.make(1, 2, 3).pipe(
          Pipeline.mapParallel((n) => Effect.as(Effect.sleep(10 - n), n), { concurrency: 3, unordered }),
          collect
        )
        assert.deepStrictEqual(results, [...expected])
      }
    }))

  it.effect("emits a result as soon as its turn has come, not when its chunk is done", () =>
    Effect.gen(function*() {
      const at: Array<number> = []
      yield* Stream.make(1, 2, 3).pipe(
        Pipeline.mapParallel((n) => Effect.sleep(n * 10), { concurrency: 3 }),
        Stream.runForEach(() => Effect.map(Clock.currentTimeMillis, (now) => at.push(now))),
        toEnd
      )
      assert.deepStrictEqual(at, [10, 20, 30])
    }))

  it.effect("overlaps nothing at a concurrency of 1", () =>
    Effect.gen(function*() {
      const trace: Array<string> = []
      yield* Stream.make(1, 2, 3).pipe(
        Pipeline.mapParallel((n) =>
          Effect.gen(function*() {
            trace.push(`begin ${n}`)
            yield* Effect.sleep(5)
            trace.push(`end ${n}`)
          }), { concurrency: 1 }),
        Stream.runDrain,
        toEnd
      )
      assert.deepStrictEqual(trace, ["begin 1", "end 1", "begin 2", "end 2", "begin 3", "end 3"])
    }))

  it.effect("loses nothing with uneven delays before a sequential stage", () =>
    Effect.gen(function*() {
      const results = yield* inChunks(upTo(200), 7, 1).pipe(
        Pipeline.mapParallel((n) => Effect.as(Effect.sleep(n % 3 === 0 ? 100 : 1), n), { concurrency: 3 }),
        Pipeline.mapParallel((n) => Effect.as(Effect.sleep(2), n), { concurrency: 1 }),
        collect
      )
      assert.deepStrictEqual(results, upTo(200))
    }))

  it.effect("ends when its input has ended, not after a quiet period", () =>
    Effect.gen(function*() {
      const results = yield* inChunks(upTo(10), 1, 3_600_000).pipe(
        Pipeline.mapParallel((n) => Effect.as(Effect.sleep("1 hour"), n), { concurrency: 3 }),
        Pipeline.keyed((n) => n % 2, (n) => Effect.as(Effect.sleep("1 hour"), n), { concurrency: 2 }),
        collect
      )
      assert.deepStrictEqual(ascending(results), upTo(10))
    }))
})
