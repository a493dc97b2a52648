import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Exit, Fiber, Schema, Stream } from "effect"
import { TestClock } from "effect/testing"
import { Environment, Job, LocalEnvironment, Pipeline } from "../../src/index.ts"
import {
  between,
  collect,
  complete,
  failures,
  inChunks,
  keyBut,
  reasons,
  settleClock,
  toEnd,
  upTo
} from "../support/pipeline.ts"

describe("join", () => {
  interface Row {
    readonly key: number
    readonly place: number
  }
  const Side = Schema.Struct({
    keys: Schema.Array(between(0, 4)).check(Schema.isMaxLength(25)),
    size: between(1, 6),
    pause: Schema.Literals([0, 1, 3, 50]),
    late: Schema.Literals([0, 0, 100])
  })
  const rows = (side: typeof Side.Type): ReadonlyArray<Row> => side.keys.map((key, place) => ({ key, place }))
  const streamOf = (side: typeof Side.Type) =>
    Stream.concat(
      Stream.drain(Stream.fromEffect(Effect.sleep(side.late))),
      inChunks(rows(side), side.size, side.pause)
    )
  const byKey = { left: (row: Row) => row.key, right: (row: Row) => row.key }
  const texts = (pairs: ReadonlyArray<readonly [Row, Row]>) =>
    pairs.map(([left, right]) => `${left.key}: ${left.place}, ${right.place}`).toSorted()

  it.effect.prop(
    "gives every pair exactly once, whichever side is late, ends first, or has duplicates",
    { left: Side, right: Side },
    ({ left, right }) =>
      Effect.gen(function*() {
        const pairs = yield* collect(Pipeline.join(streamOf(left), streamOf(right), { on: byKey }))
        const expected = rows(left).flatMap((l) =>
          rows(right).filter((r) => r.key === l.key).map((r) => [l, r] as const)
        )
        assert.deepStrictEqual(texts(pairs), texts(expected))
      })
  )

  it.effect("ends when both sides have ended, whatever their names and whichever ends first", () =>
    Effect.gen(function*() {
      for (const [left, right] of [["orders", "users"], ["LeftSource", "RightSource"], ["", "Source"]] as const) {
        for (const [short, long] of [[1, 60_000], [60_000, 1]] as const) {
          const job = Job.make("join", {
            success: Schema.Unknown,
            run: () =>
              Pipeline.join(
                inChunks(upTo(3), 1, short).pipe(Pipeline.source(left)),
                inChunks(upTo(3), 1, long).pipe(Pipeline.source(right)),
                { on: (n) => n }
              ).pipe(Stream.runCollect, Effect.map((pairs) => [pairs.length]))
          })
          assert.deepStrictEqual(yield* complete(Environment.run(job, {})), Exit.succeed([3]))
        }
      }
    }).pipe(Effect.provide(LocalEnvironment.layer)))

  it.effect("does not end while one side has not", () =>
    Effect.gen(function*() {
      for (const [left, right] of [[Stream.make(1), Stream.never], [Stream.never, Stream.make(1)]] as const) {
        const fiber = yield* Effect.forkChild(Stream.runDrain(Pipeline.join(left, right, { on: (n) => n })))
        yield* TestClock.adjust("1 day")
        yield* settleClock
        assert.isUndefined(fiber.pollUnsafe())
        yield* Fiber.interrupt(fiber)
      }
    }))

  it.effect("emits a pair as soon as both of its elements are there", () =>
    Effect.gen(function*() {
      const at: Array<readonly [number, number]> = []
      yield* Pipeline.join(inChunks([1, 2, 3], 1, 10), inChunks([3, 2, 1], 1, 10), { on: (n) => n }).pipe(
        Stream.runForEach(([n]) => Effect.map(Clock.currentTimeMillis, (now) => at.push([n, now]))),
        toEnd
      )
      assert.deepStrictEqual(at.toSorted(([a], [b]) => a - b), [[1, 30], [2, 20], [3, 30]])
    }))

  it.effect("is empty if a side is empty, and ends", () =>
    Effect.gen(function*() {
      const some = inChunks(upTo(5), 1, 1)
      for (const [left, right] of [[some, Stream.empty], [Stream.empty, some], [Stream.empty, Stream.empty]] as const) {
        assert.deepStrictEqual(yield* collect(Pipeline.join(left, right, { on: () => 0 })), [])
      }
    }))

  for (const [what, failure, reason] of failures) {
    it.effect(`fails with ${what} of a side, after the other side has ended`, () =>
      Effect.gen(function*() {
        const broken = Stream.concat(inChunks(upTo(3), 1, 1), Stream.fromEffect(Effect.suspend(failure)))
        for (const swap of [false, true]) {
          let ended = false
          const endless = Stream.concat(inChunks(upTo(3), 1, 1), Stream.never).pipe(
            Stream.ensuring(Effect.andThen(Effect.sleep(10), Effect.sync(() => ended = true)))
          )
          const joined = swap
            ? Pipeline.join(endless, broken, { on: (n) => n })
            : Pipeline.join(broken, endless, { on: (n) => n })
          const outcome = yield* toEnd(Effect.map(Effect.exit(Stream.runDrain(joined)), (exit) => ({ exit, ended })))
          assert.deepStrictEqual(reasons(outcome.exit), [reason])
          assert.isTrue(outcome.ended)
        }
      }))
  }

  it.effect("fails with an exception in a key", () =>
    Effect.gen(function*() {
      const endless = Stream.concat(inChunks(upTo(3), 1, 1), Stream.never)
      const joined = Pipeline.join(endless, endless, { on: { left: (n) => n, right: keyBut(2) } })
      assert.deepStrictEqual(reasons(yield* complete(Stream.runDrain(joined))), ["Die no key"])
    }))

  it.effect("ends both sides before an early end downstream", () =>
    Effect.gen(function*() {
      let ended = 0
      const endless = Stream.concat(inChunks(upTo(3), 1, 1), Stream.never).pipe(
        Stream.ensuring(Effect.andThen(Effect.sleep(10), Effect.sync(() => ended++)))
      )
      const joined = Pipeline.join(endless, endless, { on: (n) => n })
      const atEnd = yield* toEnd(Effect.map(Stream.runDrain(Stream.take(joined, 2)), () => ended))
      assert.strictEqual(atEnd, 2)
    }))

  it.effect("lets a slow consumer hold back both sides", () =>
    Effect.gen(function*() {
      let pulled = 0
      const endless = Stream.forever(Stream.make(1)).pipe(Stream.map((n) => pulled += n))
      const fiber = yield* Pipeline.join(endless, endless, { on: () => 0 }).pipe(
        Stream.runForEach(() => Effect.never),
        Effect.forkChild({ startImmediately: true })
      )
      yield* settleClock
      assert.isBelow(pulled, 1_000)
      yield* Fiber.interrupt(fiber)
    }))

  it.effect("differs from a merge only in its pairs: the end of one source does not end the other", () =>
    Effect.gen(function*() {
      const merged = Stream.merge(
        inChunks(upTo(3), 1, 1).pipe(Pipeline.source("short")),
        inChunks(upTo(20), 1, 60_000).pipe(Pipeline.source("long"))
      )
      const job = Job.make("merge", { success: Schema.Int, run: () => Stream.runCount(merged) })
      assert.deepStrictEqual(yield* complete(Environment.run(job, {})), Exit.succeed(23))
    }).pipe(Effect.provide(LocalEnvironment.layer)))
})
