import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Schema, Stream } from "effect"
import { Pipeline } from "../../src/index.ts"
import { Journal, probe } from "../../src/testing.ts"
import { between, inChunks, inJob, upTo } from "../support/pipeline.ts"

/** One element after each pause. */
const times = (pauses: ReadonlyArray<number>) =>
  Stream.fromIterable(pauses).pipe(Stream.rechunk(1), Stream.mapEffect((pause) => Effect.sleep(pause)))

describe("an idle job", () => {
  it.effect.prop(
    "stops exactly when no source has emitted for its idle time, and not while one does",
    { pauses: Schema.Array(between(0, 4_999)).check(Schema.isMaxLength(10)), start: between(0, 20_000) },
    ({ pauses, start }) =>
      Effect.gen(function*() {
        const since = yield* Clock.currentTimeMillis
        const { at, report } = yield* inJob(
          () => times(pauses).pipe(Stream.concat(Stream.never), Pipeline.source("rows"), Stream.runDrain),
          undefined,
          {
            autostop: { idle: "5 seconds" },
            services: probe(new Journal(), "slow", { acquire: { ms: start, ends: "well" } })
          }
        )
        assert.strictEqual(at - since, start + pauses.reduce((a, b) => a + b, 0) + 5_000)
        assert.strictEqual(report.trigger, "idle")
        assert.strictEqual(report.outcome, "succeeded")
        assert.strictEqual(report.stages[0]?.count, pauses.length)
      })
  )

  it.effect("is one in which every source is silent", () =>
    Effect.gen(function*() {
      const { at, report } = yield* inJob(
        () =>
          Stream.merge(
            times([0, 4_000, 4_000, 4_000]).pipe(Stream.concat(Stream.never), Pipeline.source("one")),
            times([2_000, 4_000]).pipe(Stream.concat(Stream.never), Pipeline.source("two"))
          ).pipe(Stream.runDrain),
        undefined,
        { autostop: { idle: "5 seconds" } }
      )
      assert.strictEqual(at, 17_000)
      assert.strictEqual(report.trigger, "idle")
    }))

  const ended = Stream.range(1, 5).pipe(Pipeline.source("ended"))
  const silent = Stream.make(1).pipe(Stream.concat(Stream.never), Pipeline.source("silent"))
  for (
    const [what, stream] of [
      ["merge", Stream.merge(ended, silent)],
      ["concat", Stream.concat(ended, silent)],
      ["zip", Stream.zip(ended, silent)],
      ["zipLatest", Stream.zipLatest(ended, silent)],
      ["interleave", Stream.interleave(ended, silent)],
      ["join", Pipeline.join(ended, silent, { on: () => 0 })]
    ] as const
  ) {
    it.effect(`is one in which one source is silent and the other has ended or waits for it, through ${what}`, () =>
      Effect.gen(function*() {
        const { at, report } = yield* inJob(
          () => Stream.runDrain<unknown, never, never>(stream),
          undefined,
          { autostop: { idle: "5 seconds" } }
        )
        assert.deepStrictEqual([at, report.trigger, report.outcome], [5_000, "idle", "succeeded"])
      }))
  }

  it.effect("goes by its own clock, not by the clock of its run", () =>
    Effect.gen(function*() {
      const clock = yield* Clock.Clock
      const ahead: Clock.Clock = {
        currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe(),
        currentTimeMillis: clock.currentTimeMillis,
        currentTimeNanosUnsafe: () => clock.currentTimeNanosUnsafe(),
        currentTimeNanos: clock.currentTimeNanos,
        monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe() + 3_600_000_000_000n,
        monotonicTimeNanos: Effect.sync(() => clock.monotonicTimeNanosUnsafe() + 3_600_000_000_000n),
        sleep: (duration) => clock.sleep(duration)
      }
      const { at, report } = yield* inJob(
        () =>
          times([1_000, 1_000]).pipe(
            Stream.concat(Stream.never),
            Pipeline.source("rows"),
            Stream.runDrain,
            Effect.provideService(Clock.Clock, ahead)
          ),
        undefined,
        { autostop: { idle: "5 seconds" } }
      )
      assert.deepStrictEqual([at, report.trigger], [7_000, "idle"])
    }))

  it.effect("stops earlier if its run ends", () =>
    Effect.gen(function*() {
      const { at, report } = yield* inJob(
        () => times([1_000, 1_000]).pipe(Pipeline.source("rows"), Stream.runDrain),
        undefined,
        { autostop: { idle: "5 seconds" } }
      )
      assert.strictEqual(at, 2_000)
      assert.strictEqual(report.trigger, "completed")
    }))

  // A source that is not asked for more is not silent.
  it.effect("is not one whose source waits for a slow consumer", () =>
    Effect.gen(function*() {
      let delivered = 0
      const { at, report } = yield* inJob(
        () =>
          Stream.fromIterable(upTo(100)).pipe(
            Pipeline.source("rows"),
            Stream.runForEach(() => Effect.andThen(Effect.sleep(1_000), Effect.sync(() => delivered++)))
          ),
        undefined,
        { autostop: { idle: "5 seconds" } }
      )
      assert.deepStrictEqual([delivered, at, report.trigger], [100, 100_000, "completed"])
    }))

  it.effect("counts from the moment its source was asked for more, if a slow consumer let it wait", () =>
    Effect.gen(function*() {
      let delivered = 0
      const { at, report } = yield* inJob(
        () =>
          inChunks(upTo(40), 20, 1_000).pipe(
            Stream.concat(Stream.never),
            Pipeline.source("rows"),
            Stream.runForEach(() => Effect.andThen(Effect.sleep(1_000), Effect.sync(() => delivered++)))
          ),
        undefined,
        { autostop: { idle: "5 seconds" } }
      )
      // twice a second to read and twenty to handle, then silence
      assert.deepStrictEqual([delivered, at, report.trigger], [40, 47_000, "idle"])
    }))

  it.effect("may be one that never had a source, or has none any longer", () =>
    Effect.gen(function*() {
      const over = Stream.runDrain(times([0, 3_000]).pipe(Pipeline.source("rows")))
      const taken = Stream.runDrain(times([0, 3_000, 60_000]).pipe(Pipeline.source("rows"), Stream.take(2)))
      for (const [before, idle] of [[Effect.void, 5_000], [over, 8_000], [taken, 8_000]] as const) {
        const since = yield* Clock.currentTimeMillis
        const { at, report } = yield* inJob(
          () => Effect.andThen(before, Effect.never),
          undefined,
          { autostop: { idle: "5 seconds" } }
        )
        assert.deepStrictEqual([at - since, report.trigger], [idle, "idle"])
      }
    }))
})
