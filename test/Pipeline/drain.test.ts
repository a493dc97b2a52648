import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Exit, Queue, Schema, Stream } from "effect"
import { Pipeline } from "../../src/index.ts"
import { after, ascending, between, countsOf, Endless, inJob } from "../support/pipeline.ts"

type Open = (name: string) => Stream.Stream<number>

const pipelines: Readonly<
  Record<string, (open: Open, work: (n: number) => Effect.Effect<number>) => Stream.Stream<number>>
> = {
  "nothing": (open) => open("one"),
  "a slow map": (open, work) => Stream.mapEffect(open("one"), work),
  "mapParallel": (open, work) => open("one").pipe(Pipeline.mapParallel(work, { concurrency: 4 })),
  "mapParallel, unordered": (open, work) =>
    open("one").pipe(Pipeline.mapParallel(work, { concurrency: 4, unordered: true })),
  "keyed": (open, work) => open("one").pipe(Pipeline.keyed((n) => n % 5, work, { concurrency: 3 })),
  "feedback": (open, work) =>
    open("one").pipe(
      Stream.map((n) => ({ n, turns: n % 3 })),
      Pipeline.feedback(({ n, turns }: { readonly n: number; readonly turns: number }) =>
        Effect.as(work(n), turns === 0 ? { emit: [n] } : { again: [{ n, turns: turns - 1 }] }), { concurrency: 3 })
    ),
  "all of them, one after the other": (open, work) =>
    open("one").pipe(
      Pipeline.mapParallel(work, { concurrency: 4 }),
      Pipeline.keyed((n) => n % 5, work, { concurrency: 3 }),
      Pipeline.stage("between"),
      Pipeline.mapParallel(work, { concurrency: 2, unordered: true }),
      Pipeline.feedback((n: number) => Effect.as(work(n), { emit: [n] }))
    ),
  "Stream.buffer": (open, work) => open("one").pipe(Stream.buffer({ capacity: 16 }), Stream.mapEffect(work)),
  "Stream.mapEffect at a concurrency": (open, work) => Stream.mapEffect(open("one"), work, { concurrency: 4 }),
  "Stream.grouped": (open, work) =>
    open("one").pipe(
      Stream.grouped(7),
      Stream.mapEffect((rows) => Effect.as(work(rows.length), rows)),
      Stream.flattenIterable
    ),
  "Stream.groupedWithin": (open, work) =>
    open("one").pipe(
      Stream.groupedWithin(7, 15),
      Stream.mapEffect((rows) => Effect.as(work(rows.length), rows)),
      Stream.flattenIterable
    ),
  "Stream.merge": (open, work) =>
    Stream.merge(
      open("one").pipe(Pipeline.mapParallel(work, { concurrency: 2 })),
      open("two").pipe(Stream.buffer({ capacity: 4 }))
    ),
  "Stream.flatMap": (open, work) =>
    open("one").pipe(
      Stream.flatMap((n) => Stream.make(n).pipe(Pipeline.mapParallel(work, { concurrency: 2 })), { concurrency: 3 })
    ),
  "three sources": (open, work) =>
    Stream.mergeAll([open("one"), open("two"), open("three")], { concurrency: 3 }).pipe(
      Pipeline.mapParallel(work, { concurrency: 5 })
    )
}

describe("a drain", () => {
  it.effect.prop(
    "delivers everything that the source has emitted, through each operator",
    {
      // safe: the keys of a record that is not empty
      pipeline: Schema.Literals(Object.keys(pipelines) as [string, ...Array<string>]),
      burst: between(1, 30),
      pause: between(1, 10),
      work: between(0, 12),
      stopAt: between(0, 300)
    },
    ({ burst, pause, pipeline, stopAt, work }) =>
      Effect.gen(function*() {
        const endless = new Endless()
        const delivered: Array<number> = []
        const build = pipelines[pipeline] ?? assert.fail()
        const stream = build(
          (name) => endless.open(name, burst, pause),
          (n) => work === 0 ? Effect.succeed(n) : Effect.as(Effect.sleep((n * 7) % work), n)
        )
        const { exit, report } = yield* inJob(
          () => Stream.runForEach(stream, (n) => Effect.sync(() => delivered.push(n))),
          after(stopAt),
          { stopPolicy: { strategy: "patient" } }
        )
        assert.isTrue(Exit.isSuccess(exit))
        assert.deepStrictEqual(ascending(delivered), endless.emitted.toSorted((a, b) => a - b))
        assert.strictEqual(report.outcome, "succeeded")
        assert.deepStrictEqual(report.phases.map(({ phase, timedOut }) => ({ phase, timedOut })), [
          { phase: "drain", timedOut: false }
        ])
        const sources = report.stages.filter((stage) => stage.kind === "source")
        assert.strictEqual(sources.reduce((sum, { count }) => sum + count, 0), endless.emitted.length)
        assert.isTrue(report.stages.every((stage) => stage.dropped === undefined))
        assert.isTrue(report.clean)
      }),
    { arbitrary: { runs: 300 } }
  )

  it.effect("delivers each element that the source has read, although the sink is slow", () =>
    Effect.gen(function*() {
      let read = 0
      let delivered = 0
      const { report } = yield* inJob(
        () =>
          Stream.fromEffectRepeat(Effect.map(Effect.sleep(10), () => ++read)).pipe(
            Pipeline.source("rows"),
            Stream.buffer({ capacity: 16 }),
            Stream.runForEach(() => Effect.andThen(Effect.sleep(50), Effect.sync(() => delivered++)))
          ),
        after(145)
      )
      assert.strictEqual(read, 14)
      assert.strictEqual(delivered, 14)
      assert.deepStrictEqual(countsOf(report), ["rows 14"])
    }))

  for (const pause of [0, 10]) {
    it.effect(`delivers the element whose reading asks for the stop, if a pull needs ${pause} ms`, () =>
      Effect.gen(function*() {
        const delivered: Array<number> = []
        let stop: Effect.Effect<void> = Effect.void
        let read = 0
        const { report } = yield* inJob(
          () =>
            Effect.andThen(
              Effect.sleep(1),
              Stream.fromEffectRepeat(Effect.gen(function*() {
                if (pause > 0) yield* Effect.sleep(pause)
                if (++read === 5) yield* stop
                return read
              })).pipe(
                Pipeline.source("rows"),
                Pipeline.mapParallel((n) => Effect.as(Effect.sleep(3), n), { concurrency: 1 }),
                Stream.runForEach((n) => Effect.sync(() => delivered.push(n)))
              )
            ),
          (run) =>
            Effect.sync(() => {
              stop = run.stop()
            })
        )
        assert.deepStrictEqual(delivered, [1, 2, 3, 4, 5])
        assert.deepStrictEqual(countsOf(report), ["rows 5", "mapParallel 1 5"])
        assert.strictEqual(read, 5)
      }))
  }

  it.effect("ends both sides of a join, and delivers every pair of what they emitted", () =>
    Effect.gen(function*() {
      const left = new Endless()
      const right = new Endless()
      const delivered: Array<string> = []
      const { report } = yield* inJob(
        () =>
          Pipeline.join(left.open("left", 3, 7), right.open("right", 5, 11), { on: (n) => n % 10 }).pipe(
            Pipeline.mapParallel((pair) => Effect.as(Effect.sleep(1), pair), { concurrency: 2 }),
            Stream.runForEach(([l, r]) => Effect.sync(() => delivered.push(`${l} ${r}`)))
          ),
        after(100),
        { stopPolicy: { strategy: "patient" } }
      )
      const expected = left.emitted.flatMap((l) =>
        right.emitted.filter((r) => r % 10 === l % 10).map((r) => `${l} ${r}`)
      )
      assert.isAbove(expected.length, 100)
      assert.deepStrictEqual(delivered.toSorted(), expected.toSorted())
      assert.strictEqual(report.stages.find(({ kind }) => kind === "join")?.count, expected.length)
      assert.strictEqual(report.outcome, "succeeded")
    }))

  it.effect("ends a source at once, even while its pull is blocked for ever", () =>
    Effect.gen(function*() {
      const queue = yield* Queue.unbounded<number>()
      const blocked: ReadonlyArray<Stream.Stream<number>> = [
        Stream.never,
        Stream.fromQueue(queue),
        Stream.fromEffect(Effect.never),
        Stream.fromEffect(Effect.promise(() => new Promise<number>(() => {}))),
        Stream.make(1).pipe(Pipeline.mapParallel(() => Effect.never, { concurrency: 1 })),
        Stream.never.pipe(Pipeline.source("inner"))
      ]
      for (const stream of blocked) {
        const since = yield* Clock.currentTimeMillis
        const { at, report } = yield* inJob(
          () => stream.pipe(Pipeline.source("blocked"), Stream.runDrain),
          after(1_000)
        )
        assert.strictEqual(at, since + 1_000)
        assert.strictEqual(report.outcome, "succeeded")
        assert.deepStrictEqual(report.phases.map(({ phase, timedOut }) => [phase, timedOut]), [["drain", false]])
        assert.strictEqual(report.stages[0]?.count, 0)
      }
    }))

  it.effect("waits for the finalizers of a blocked source", () =>
    Effect.gen(function*() {
      let closed = false
      const { at } = yield* inJob(
        () =>
          Stream.never.pipe(
            Stream.ensuring(Effect.andThen(Effect.sleep(30), Effect.sync(() => closed = true))),
            Pipeline.source("file"),
            Stream.runDrain
          ),
        after(100)
      )
      assert.isTrue(closed)
      assert.strictEqual(at, 130)
    }))

  it.effect("lets no source emit that begins after it", () =>
    Effect.gen(function*() {
      const delivered: Array<string> = []
      const sink = (what: string) => Stream.runForEach((n: number) => Effect.sync(() => delivered.push(`${what} ${n}`)))
      const { exit, report } = yield* inJob(
        () =>
          Effect.gen(function*() {
            const blocked = Stream.concat(Stream.make(1), Stream.never).pipe(Pipeline.source("first"))
            yield* Stream.concat(blocked, Stream.make(2).pipe(Pipeline.source("second"))).pipe(sink("a"))
            yield* Stream.make(3).pipe(Pipeline.source("third"), sink("b"))
            yield* Stream.make(4).pipe(sink("no source"))
          }),
        after(10)
      )
      assert.isTrue(Exit.isSuccess(exit))
      assert.deepStrictEqual(delivered, ["a 1", "no source 4"])
      assert.deepStrictEqual(countsOf(report), ["first 1", "second 0", "third 0"])
    }))

  for (
    const [what, options, drive] of [
      ["asked for", {}, after(100)],
      ["asked for by idleness", { autostop: { idle: 100 } }, () => Effect.void]
    ] as const
  ) {
    it.effect(`that is ${what} after the source has ended delivers what it had emitted`, () =>
      Effect.gen(function*() {
        let delivered = 0
        const { report } = yield* inJob(
          () =>
            Stream.range(1, 10).pipe(
              Pipeline.source("rows"),
              Pipeline.mapParallel((n) => Effect.as(Effect.sleep(1_000), n), { concurrency: 20 }),
              Stream.runForEach(() => Effect.sync(() => delivered++))
            ),
          drive,
          options
        )
        assert.strictEqual(delivered, 10)
        assert.strictEqual(report.outcome, "succeeded")
        assert.deepStrictEqual(countsOf(report), ["rows 10", "mapParallel 1 10"])
      }))
  }

  const rows = (name: string) => Stream.range(1, 5).pipe(Pipeline.source(name))
  const slow = Stream.mapEffect((n: number) => Effect.as(Effect.sleep(100), n))
  const slowAtOnce = Stream.mapEffect((n: number) => Effect.as(Effect.sleep(1_000), n), { concurrency: 20 })
  for (
    const [what, stream] of [
      ["merge and mapEffect", () => slowAtOnce(Stream.merge(rows("one"), rows("two")))],
      ["merge and buffer", () => slow(Stream.buffer(Stream.merge(rows("one"), rows("two")), { capacity: 100 }))],
      ["merge and mapParallel", () =>
        Stream.merge(rows("one"), rows("two")).pipe(
          Pipeline.mapParallel((n) => Effect.as(Effect.sleep(1_000), n), { concurrency: 20 })
        )],
      ["mergeAll", () => slowAtOnce(Stream.mergeAll([rows("one"), rows("two")], { concurrency: 2 }))],
      ["concat", () => slowAtOnce(Stream.concat(rows("one"), rows("two")))],
      ["flatMap", () => slowAtOnce(Stream.flatMap(Stream.make("one", "two"), rows))],
      ["flatMap at a concurrency", () => slow(Stream.flatMap(Stream.make("one", "two"), rows, { concurrency: 2 }))],
      ["join", () =>
        Pipeline.join(rows("one"), rows("two"), { on: (n) => n }).pipe(
          Stream.flatMap(([l, r]) => Stream.make(l, r)),
          slow
        )],
      ["grouped", () => slow(Stream.flattenIterable(Stream.grouped(Stream.concat(rows("one"), rows("two")), 10)))]
    ] as const
  ) {
    // a stream is over when its sink is, not when its source is
    it.effect(`that begins after the sources have ended delivers what they emitted, through ${what}`, () =>
      Effect.gen(function*() {
        let delivered = 0
        const { report } = yield* inJob(
          () => Stream.runForEach(stream(), () => Effect.sync(() => delivered++)),
          after(50)
        )
        assert.strictEqual(delivered, 10)
        assert.strictEqual(report.outcome, "succeeded")
      }))
  }

  it.effect("does not happen without a source, even if operators hold elements", () =>
    Effect.gen(function*() {
      const { at, report } = yield* inJob(
        () =>
          Stream.concat(Stream.range(1, 10), Stream.never).pipe(
            Pipeline.mapParallel(() => Effect.never, { concurrency: 2 }),
            Stream.runDrain
          ),
        after(100)
      )
      assert.strictEqual(at, 100)
      assert.deepStrictEqual(report.phases.map(({ phase }) => phase), ["cancel"])
      assert.deepStrictEqual(countsOf(report), ["mapParallel 1 0-10"])
    }))

  it.effect("does not happen once the stream of its source is over, although the run goes on", () =>
    Effect.gen(function*() {
      const { at, report } = yield* inJob(
        () => Effect.andThen(Stream.runDrain(Stream.make(1).pipe(Pipeline.source("warm up"))), Effect.never),
        after(100)
      )
      assert.strictEqual(at, 100)
      assert.deepStrictEqual(report.phases.map(({ phase }) => phase), ["cancel"])
    }))

  it.effect("that exceeds its limit becomes a cancel, and the report counts what is dropped", () =>
    Effect.gen(function*() {
      const { at, report } = yield* inJob(
        () =>
          Stream.make(1, 2, 3).pipe(
            Stream.concat(Stream.never),
            Pipeline.source("rows"),
            Pipeline.mapParallel((n) => n === 1 ? Effect.succeed(n) : Effect.never, { concurrency: 5 }),
            Stream.runDrain
          ),
        after(100),
        { stopPolicy: { drainTimeout: "2 seconds" } }
      )
      assert.strictEqual(at, 2_100)
      assert.strictEqual(report.outcome, "cancelled")
      assert.deepStrictEqual(report.phases.map(({ phase, timedOut }) => [phase, timedOut]), [
        ["drain", true],
        ["cancel", false]
      ])
      assert.deepStrictEqual(countsOf(report), ["rows 3", "mapParallel 1 1-2"])
    }))
})
