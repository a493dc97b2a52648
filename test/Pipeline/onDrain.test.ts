import { assert, describe, it } from "@effect/vitest"
import { Cause, Context, Effect, Exit, Logger, Queue, Stream } from "effect"
import { Pipeline } from "../../src/index.ts"
import { after, countsOf, inJob } from "../support/pipeline.ts"

const short = { stopPolicy: { drainTimeout: "2 seconds" } } as const

/** A queue that has some numbers and stays open. */
const queueOf = (...numbers: ReadonlyArray<number>) =>
  Effect.tap(Queue.unbounded<number, Cause.Done>(), (queue) => Queue.offerAll(queue, numbers))

const phasesOf = (report: { readonly phases: ReadonlyArray<{ readonly phase: string; readonly timedOut: boolean }> }) =>
  report.phases.map(({ phase, timedOut }) => `${phase}${timedOut ? " timed out" : ""}`)

describe("the `onDrain` of a source", () => {
  it.effect("runs at the drain at once, although the consumer is at work and does not pull", () =>
    Effect.gen(function*() {
      const told: Array<number> = []
      const { at, report } = yield* inJob(
        () =>
          Effect.gen(function*() {
            const queue = yield* queueOf(1, 2, 3)
            const tell = Effect.clockWith((clock) => Effect.sync(() => told.push(clock.currentTimeMillisUnsafe())))
            yield* Stream.fromQueue(queue).pipe(
              Pipeline.source("in", { onDrain: Effect.andThen(tell, Queue.end(queue)) }),
              Stream.runForEach(() => Effect.sleep(500))
            )
          }),
        after(700)
      )
      assert.deepStrictEqual(told, [700])
      assert.strictEqual(at, 1_500)
      assert.deepStrictEqual(countsOf(report), ["in 3"])
      assert.deepStrictEqual(phasesOf(report), ["drain"])
    }))

  it.effect("comes to its end although the stream has ended before it", () =>
    Effect.gen(function*() {
      let closed = false
      const { at, report } = yield* inJob(
        () =>
          Effect.gen(function*() {
            const queue = yield* queueOf(1)
            const close = Effect.andThen(Effect.sleep(300), Effect.sync(() => closed = true))
            yield* Stream.fromQueue(queue).pipe(
              Pipeline.source("in", { onDrain: Effect.andThen(Queue.end(queue), close) }),
              Stream.runDrain
            )
          }),
        after(100)
      )
      assert.isTrue(closed)
      assert.strictEqual(at, 400)
      assert.strictEqual(report.outcome, "succeeded")
    }))

  for (
    const [what, failure, error] of [
      ["fails", Effect.fail("no connection"), "no connection"],
      ["dies", Effect.die(new Error("no connection")), "no connection"]
    ] as const
  ) {
    it.effect(`that ${what} is reported and logged, and the source ends as without it`, () =>
      Effect.gen(function*() {
        const logged: Array<string> = []
        const logger = Logger.make(({ message }) => void logged.push(String(message)))
        const { at, exit, report } = yield* inJob(
          () =>
            Effect.gen(function*() {
              const broken = yield* queueOf(1)
              const sound = yield* queueOf(2, 3)
              yield* Stream.merge(
                Stream.fromQueue(broken).pipe(
                  Pipeline.source("broken", { onDrain: Effect.andThen(Effect.sleep(50), failure) })
                ),
                Stream.fromQueue(sound).pipe(Pipeline.source("sound", { onDrain: Queue.end(sound) }))
              ).pipe(Stream.runDrain)
            }),
          after(100)
        ).pipe(Effect.provide(Logger.layer([logger])))
        assert.isTrue(Exit.isSuccess(exit))
        assert.strictEqual(at, 150)
        assert.deepStrictEqual(countsOf(report).toSorted(), ["broken 1", "sound 2"])
        assert.include(report.stages.find(({ name }) => name === "broken")?.error, error)
        assert.strictEqual(report.stages.find(({ name }) => name === "sound")?.error, undefined)
        assert.strictEqual(logged.length, 1)
        assert.match(logged[0] ?? "", /^the `onDrain` of the source "broken" failed.*no connection/)
        assert.deepStrictEqual(phasesOf(report), ["drain"])
        assert.isTrue(report.clean)
      }))
  }

  for (
    const [what, onDrain] of [
      ["that hangs", Effect.never],
      ["after which the stream goes on", Effect.void]
    ] as const
  ) {
    it.effect(`${what} lasts no longer than the drain`, () =>
      Effect.gen(function*() {
        const { at, report } = yield* inJob(
          () => Stream.never.pipe(Pipeline.source("in", { onDrain }), Stream.runDrain),
          after(100),
          short
        )
        assert.strictEqual(at, 2_100)
        assert.deepStrictEqual(phasesOf(report), ["drain timed out", "cancel"])
        assert.strictEqual(report.outcome, "cancelled")
        assert.isTrue(report.clean)
      }))
  }

  it.effect("does not run if the stream has ended, or without a drain", () =>
    Effect.gen(function*() {
      let runs = 0
      const onDrain = Effect.sync(() => runs++)
      const slow = Stream.runForEach(() => Effect.sleep(1_000))
      const ended = () => Stream.make(1).pipe(Pipeline.source("in", { onDrain }), slow)
      // the stream is asked for more only once its element was worked on
      yield* inJob(
        () => Effect.andThen(ended(), Stream.never.pipe(Pipeline.source("other"), Stream.runDrain)),
        after(1_500)
      )
      const open = () => Stream.never.pipe(Pipeline.source("in", { onDrain }), Stream.runDrain)
      yield* inJob(open, after(100, { mode: "cancel" }))
      yield* inJob(open, after(100, { mode: "kill" }))
      yield* inJob(open, after(100), { stopPolicy: { strategy: "fast" } })
      assert.strictEqual(runs, 0)
      yield* inJob(open, after(100), short)
      assert.strictEqual(runs, 1)
    }))

  it.effect("of a source that begins after the drain runs too, and what was handed over is emitted", () =>
    Effect.gen(function*() {
      const delivered: Array<number> = []
      const { at } = yield* inJob(
        () =>
          Effect.gen(function*() {
            const queue = yield* queueOf(1, 2)
            yield* Stream.never.pipe(Pipeline.source("first"), Stream.runDrain)
            yield* Stream.fromQueue(queue).pipe(
              Pipeline.source("second", { onDrain: Queue.end(queue) }),
              Stream.runForEach((n) => Effect.sync(() => delivered.push(n)))
            )
          }),
        after(100)
      )
      assert.deepStrictEqual(delivered, [1, 2])
      assert.strictEqual(at, 100)
    }))

  it.effect("may need services", () =>
    Effect.gen(function*() {
      class Broker extends Context.Service<Broker, Queue.Queue<number, Cause.Done>>()("test/Broker") {}
      const stream = Stream.unwrap(Effect.map(Broker, Stream.fromQueue)).pipe(
        Pipeline.source("in", { onDrain: Effect.flatMap(Broker, (queue) => Queue.end(queue)) })
      )
      const { report } = yield* inJob(
        () => Effect.flatMap(queueOf(1, 2), (queue) => Effect.provideService(Stream.runDrain(stream), Broker, queue)),
        after(100)
      )
      assert.deepStrictEqual(countsOf(report), ["in 2"])
      assert.strictEqual(report.outcome, "succeeded")
    }))

  it("that is neither an effect nor a known word throws where it is written", () => {
    assert.throws(
      // @ts-expect-error: no such word
      () => Pipeline.source("in", { onDrain: "finish" }),
      /onDrain is "finish"; expected "interrupt", "await"/
    )
  })
})

describe("a pull that is interrupted by a drain", () => {
  it.effect("ends at once where it waits, after it has fetched nothing", () =>
    Effect.gen(function*() {
      let polls = 0
      const poll = Effect.uninterruptible(Effect.andThen(Effect.sleep(10), Effect.sync(() => polls++)))
      const { at, report } = yield* inJob(
        () =>
          Stream.fromEffectRepeat(Effect.andThen(poll, Effect.sleep("1 hour"))).pipe(
            Pipeline.source("in"),
            Stream.runDrain
          ),
        after(5)
      )
      // the poll ends at 10, and the hour does not begin
      assert.strictEqual(at, 10)
      assert.strictEqual(polls, 1)
      assert.deepStrictEqual(countsOf(report), ["in 0"])
      assert.deepStrictEqual(phasesOf(report), ["drain"])
    }))

  it.effect("ends soon if it never waits and never emits", () =>
    Effect.gen(function*() {
      const { at, report } = yield* inJob(
        () =>
          Stream.forever(Stream.make(1)).pipe(
            Stream.filter(() => false),
            Pipeline.source("in"),
            Stream.runDrain
          ),
        after(5)
      )
      assert.strictEqual(at, 5)
      assert.deepStrictEqual(phasesOf(report), ["drain"])
    }))

  it.effect("hands over what it has fetched, also if that is one step before the source", () =>
    Effect.gen(function*() {
      const delivered: Array<number> = []
      yield* inJob(
        () =>
          Stream.fromEffectRepeat(Effect.uninterruptible(Effect.as(Effect.sleep(10), 7))).pipe(
            Stream.mapEffect((n) => Effect.as(Effect.yieldNow, n)),
            Pipeline.source("in"),
            Stream.runForEach((n) => Effect.sync(() => delivered.push(n)))
          ),
        after(15)
      )
      assert.deepStrictEqual(delivered, [7, 7])
    }))

  it.effect("counts as dropped what it hands over after a cancel", () =>
    Effect.gen(function*() {
      const { at, report } = yield* inJob(
        () =>
          Stream.fromIterableEffectRepeat(Effect.uninterruptible(Effect.as(Effect.sleep(10), [1, 2, 3]))).pipe(
            Pipeline.source("in"),
            Stream.runDrain
          ),
        after(15, { mode: "cancel" })
      )
      assert.strictEqual(at, 20)
      assert.deepStrictEqual(countsOf(report), ["in 3-3"])
    }))

  it.effect("counts as dropped what it hands over after the drain has exceeded its limit", () =>
    Effect.gen(function*() {
      const { at, report } = yield* inJob(
        () =>
          Stream.fromIterableEffectRepeat(Effect.uninterruptible(Effect.as(Effect.sleep("3 seconds"), [1, 2, 3]))).pipe(
            Pipeline.source("in"),
            Stream.runDrain
          ),
        after(100),
        short
      )
      assert.strictEqual(at, 3_000)
      assert.deepStrictEqual(phasesOf(report), ["drain timed out", "cancel"])
      assert.deepStrictEqual(countsOf(report), ["in 0-3"])
      assert.isTrue(report.clean)
    }))
})
