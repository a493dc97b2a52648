import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, Logger, Schedule, Stream } from "effect"
import { TestClock } from "effect/testing"
import { Pipeline } from "../../src/index.ts"
import { after, ascending, between, inJob } from "../support/pipeline.ts"

/** Emits a few numbers, one after the other, and ends; notes what its source has emitted. */
const turn = (emitted: Array<number>, pause: number, name = "in"): Stream.Stream<number> =>
  Stream.range(0, 2).pipe(
    Stream.rechunk(1),
    Stream.mapEffect((n) => Effect.as(Effect.sleep(pause), n)),
    Pipeline.source(name),
    Stream.map(() => emitted.push(emitted.length) - 1)
  )

const slow = (n: number) => Effect.as(Effect.sleep(n % 7), n)

const repeats: Readonly<Record<string, (emitted: Array<number>, pause: number) => Stream.Stream<number>>> = {
  "forever": (emitted, pause) => turn(emitted, pause).pipe(Stream.forever),
  "repeat": (emitted, pause) => turn(emitted, pause).pipe(Stream.repeat(Schedule.forever)),
  "repeat, with pauses": (emitted, pause) => turn(emitted, pause).pipe(Stream.repeat(Schedule.spaced(20))),
  "repeat of more than the source": (emitted, pause) =>
    Stream.concat(turn(emitted, pause), Stream.sync(() => emitted.push(emitted.length) - 1)).pipe(Stream.forever),
  "repeat behind a slow map": (emitted, pause) => turn(emitted, pause).pipe(Stream.mapEffect(slow), Stream.forever),
  "repeat behind mapParallel": (emitted, pause) =>
    turn(emitted, pause).pipe(Pipeline.mapParallel(slow, { concurrency: 2 }), Stream.forever),
  "repeat behind mapEffect at a concurrency": (emitted, pause) =>
    turn(emitted, pause).pipe(Stream.mapEffect(slow, { concurrency: 3 }), Stream.forever),
  "repeat behind many stages": (emitted, pause) =>
    Array.from({ length: 12 }, (_, i) => `stage ${i}`).reduce(
      (self, name) => self.pipe(Pipeline.stage(name)),
      turn(emitted, pause)
    ).pipe(Stream.forever),
  "repeat behind a buffer": (emitted, pause) =>
    turn(emitted, pause).pipe(Stream.buffer({ capacity: 4 }), Stream.forever),
  "repeat of unwrap": (emitted, pause) => Stream.forever(Stream.unwrap(Effect.sync(() => turn(emitted, pause)))),
  "repeat within repeat": (emitted, pause) =>
    turn(emitted, pause).pipe(Stream.repeat(Schedule.recurs(2)), Stream.forever, Stream.mapEffect(slow)),
  "repeat within a merge": (emitted, pause) =>
    Stream.merge(
      turn(emitted, pause, "one").pipe(Stream.forever),
      turn(emitted, pause, "two").pipe(Stream.forever, Stream.mapEffect(slow))
    ),
  "retry": (emitted, pause) =>
    Stream.concat(turn(emitted, pause), Stream.fail("broken")).pipe(Stream.retry(Schedule.forever), Stream.orDie),
  "retry within the source": (emitted, pause) =>
    Stream.concat(Stream.fromEffect(Effect.sleep(pause)), Stream.fail("broken")).pipe(
      Pipeline.source("in"),
      Stream.map(() => emitted.push(emitted.length) - 1),
      Stream.retry(Schedule.forever),
      Stream.orDie
    )
}

describe("a source that is repeated", () => {
  for (const [name, open] of Object.entries(repeats)) {
    it.effect.prop(
      `by ${name} ends at the drain, and all that it emitted is delivered`,
      { pause: between(1, 9), stopAt: between(0, 100) },
      ({ pause, stopAt }) =>
        Effect.gen(function*() {
          const emitted: Array<number> = []
          const delivered: Array<number> = []
          const { exit, report } = yield* inJob(
            () =>
              Stream.runForEach(
                open(emitted, pause),
                (n) => Effect.andThen(Effect.sleep(2), Effect.sync(() => delivered.push(n)))
              ),
            after(stopAt)
          )
          assert.isTrue(Exit.isSuccess(exit))
          assert.deepStrictEqual(ascending(delivered), emitted)
          assert.deepStrictEqual(report.phases.map(({ phase, timedOut }) => [phase, timedOut]), [["drain", false]])
          assert.isBelow(report.phases[0]?.durationMs ?? Infinity, 100)
        }),
      { arbitrary: { runs: 12 } }
    )
  }

  it.effect("may be put after the repetition, which then ends at once, also in a pause", () =>
    Effect.gen(function*() {
      const { at } = yield* inJob(
        () =>
          Stream.make(1).pipe(
            Stream.repeat(Schedule.spaced("1 hour")),
            Pipeline.source("in"),
            Stream.runDrain
          ),
        after(100)
      )
      assert.strictEqual(at, 100)
    }))

  it.effect("is no reason to lose the elements of another source, which begins it anew for each", () =>
    Effect.gen(function*() {
      const delivered: Array<string> = []
      const { report } = yield* inJob(
        () =>
          Stream.concat(Stream.make("a", "b", "c"), Stream.never).pipe(
            Pipeline.source("files"),
            Pipeline.stage("opened"),
            Stream.flatMap((file) =>
              Stream.concat(
                Stream.fromEffect(Effect.sleep(100)).pipe(Pipeline.source("lines"), Stream.as(`line of ${file}`)),
                Stream.make(`end of ${file}`)
              )
            ),
            Stream.runForEach((line) => Effect.sync(() => delivered.push(line)))
          ),
        after(50)
      )
      assert.deepStrictEqual(delivered, ["end of a", "end of b", "end of c"])
      assert.strictEqual(report.outcome, "succeeded")
    }))

  it.effect("in a way that nothing can end lasts no longer than the drain, and a warning says why", () =>
    Effect.gen(function*() {
      const logged: Array<string> = []
      const logger = Logger.make(({ message }) => void logged.push(String(message)))
      const { at, report } = yield* inJob(
        () =>
          Stream.concat(Stream.make(1), Stream.forever(Stream.make(2))).pipe(
            Stream.rechunk(1),
            Stream.tap((n) => n === 1 ? Effect.sleep(150) : Effect.void),
            Pipeline.source("open", { onDrain: Effect.void }),
            Stream.flatMap(() => Stream.empty.pipe(Pipeline.source("stubborn"))),
            Stream.runDrain
          ),
        after(100),
        { stopPolicy: { drainTimeout: "2 seconds" } }
      ).pipe(
        // the clock waits for a machine that takes seconds for the thousand runs
        Effect.provide(Layer.mergeAll(Logger.layer([logger]), TestClock.layer({ warningDelay: "2 minutes" })))
      )
      assert.strictEqual(at, 2_100)
      assert.strictEqual(report.outcome, "cancelled")
      assert.strictEqual(logged.length, 1)
      assert.match(logged[0] ?? "", /^the source "stubborn" is run again and again.*put `Pipeline.source` after/)
    }))
})
