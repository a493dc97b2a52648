import { assert, describe, it } from "@effect/vitest"
import { Effect, Schedule, Stream } from "effect"
import { Pipeline, type StopReport } from "../../src/index.ts"
import { inJob } from "../support/pipeline.ts"

/** The edges of a report, by the stage that they end at. */
const edgesOf = (report: StopReport) =>
  Object.fromEntries(
    report.stages.flatMap(({ kind, name, upstream }) =>
      upstream === undefined
        ? []
        : [[report.stages.filter((one) => one.name === name).length > 1 ? `${kind} ${name}` : name, upstream]]
    )
  )

/** Runs pipelines in a job, one after the other, and returns the edges of their stages. */
const edges = (...pipelines: ReadonlyArray<Stream.Stream<unknown, unknown>>) =>
  Effect.map(
    inJob(() => Effect.scoped(Effect.forEach(pipelines, Stream.runDrain, { discard: true }))),
    ({ exit, report }) => {
      assert.strictEqual(exit._tag, "Success")
      return edgesOf(report)
    }
  )

const rows = (name: string) => Stream.make(1, 2, 3).pipe(Pipeline.source(name))

describe("the upstream of a stage", () => {
  it.effect("is the stage before it, whatever lies between", () =>
    Effect.gen(function*() {
      const pipeline = rows("rows").pipe(
        Stream.map((n) => n + 1),
        Pipeline.stage("read"),
        Stream.buffer({ capacity: 4 }),
        Pipeline.mapParallel(Effect.succeed, { concurrency: 2, name: "worked" }),
        Stream.rechunk(1),
        Pipeline.keyed((n) => n, Effect.succeed, { concurrency: 2 }),
        Stream.groupedWithin(2, "1 second"),
        Stream.flattenIterable,
        Pipeline.feedback((n: number) => Effect.succeed({ emit: [n] }), { name: "loop" }),
        Pipeline.stage("written")
      )
      assert.deepStrictEqual(yield* edges(pipeline), {
        read: ["rows"],
        worked: ["read"],
        "keyed 1": ["worked"],
        loop: ["keyed 1"],
        written: ["loop"]
      })
    }))

  const two: ReadonlyArray<
    readonly [string, (a: Stream.Stream<number>, b: Stream.Stream<number>) => Stream.Stream<unknown>]
  > = [
    ["merge", (a, b) => Stream.merge(a, b)],
    ["mergeAll", (a, b) => Stream.mergeAll([a, b], { concurrency: 2 })],
    ["zip", (a, b) => Stream.zip(a, b)],
    ["concat", (a, b) => Stream.concat(a, b)],
    ["interleave", (a, b) => Stream.interleave(a, b)],
    ["join", (a, b) => Pipeline.join(a, b, { on: (n) => n, name: "both" })]
  ]
  for (const [operator, both] of two) {
    it.effect(`is each of the streams of ${operator}`, () =>
      Effect.gen(function*() {
        const found = yield* edges(
          both(rows("left"), rows("right").pipe(Pipeline.stage("checked"))).pipe(Pipeline.stage("all"))
        )
        const last = operator === "join" ? found["both"] : found["all"]
        assert.deepStrictEqual(last?.toSorted(), ["checked", "left"])
        assert.deepStrictEqual(found["checked"], ["right"])
        if (operator === "join") assert.deepStrictEqual(found["all"], ["both"])
      }))
  }

  it.effect("is one source for two stages, if it runs twice", () =>
    Effect.gen(function*() {
      const source = rows("rows")
      assert.deepStrictEqual(
        yield* edges(source.pipe(Pipeline.stage("left")), source.pipe(Pipeline.stage("right"))),
        { left: ["rows"], right: ["rows"] }
      )
    }))

  it.effect("is what `upstream` says, behind a broadcast", () =>
    Effect.gen(function*() {
      const { exit, report } = yield* inJob(() =>
        Effect.gen(function*() {
          const [left, right] = yield* rows("rows").pipe(Stream.broadcastN({ n: 2, capacity: 8 }))
          const count = (self: Stream.Stream<number>, name: string) =>
            self.pipe(
              Pipeline.upstream("rows"),
              Pipeline.mapParallel(Effect.succeed, { concurrency: 1, name }),
              Stream.runCount
            )
          return yield* Effect.all([count(left, "left"), count(right, "right")], { concurrency: 2 })
        })
      )
      assert.deepStrictEqual(exit._tag === "Success" && exit.value, [3, 3])
      assert.deepStrictEqual(edgesOf(report), { left: ["rows"], right: ["rows"] })
    }))

  it.effect("has each stage once, however often the stream is opened, and never the stage itself", () =>
    Effect.gen(function*() {
      let runs = 0
      const broken = rows("rows").pipe(
        Pipeline.stage("read"),
        Stream.concat(Stream.suspend(() => ++runs < 4 ? Stream.fail("broken") : Stream.empty)),
        Stream.retry(Schedule.recurs(5)),
        Stream.repeat(Schedule.recurs(3)),
        Pipeline.stage("twice"),
        Stream.filter((n) => n > 0),
        Pipeline.stage("twice")
      )
      assert.deepStrictEqual(yield* edges(broken, broken), { read: ["rows"], twice: ["read"] })
      assert.isAbove(runs, 4)
    }))

  it.effect("has what the streams within a `flatMap` hand on", () =>
    Effect.gen(function*() {
      const pipeline = rows("rows").pipe(
        Stream.flatMap((n) => Stream.make(n).pipe(Pipeline.stage("within"))),
        Stream.flatMap((n) => Stream.make(n).pipe(Pipeline.upstream("within"), Pipeline.stage("beneath")), {
          concurrency: 2
        }),
        Pipeline.stage("all")
      )
      const found = yield* edges(pipeline)
      assert.deepStrictEqual(found["all"]?.toSorted(), ["beneath", "rows", "within"])
      assert.deepStrictEqual(found["beneath"], ["within"])
    }))

  it.effect("is nothing that only runs meanwhile", () =>
    Effect.gen(function*() {
      const other = rows("other").pipe(Pipeline.stage("seen"))
      const pipeline = Stream.unwrap(Effect.as(Stream.runDrain(other), rows("rows"))).pipe(
        Stream.mapEffect(() => Stream.runCount(other), { concurrency: 2 }),
        Pipeline.mapParallel(() => Stream.runCount(other), { concurrency: 2, name: "worked" }),
        Pipeline.stage("all")
      )
      assert.deepStrictEqual(yield* edges(pipeline), { seen: ["other"], worked: ["rows"], all: ["worked"] })
    }))

  it.effect("has the kind where stages of several kinds have one name", () =>
    Effect.gen(function*() {
      const pipeline = rows("rows").pipe(
        Pipeline.stage("rows"),
        Pipeline.mapParallel(Effect.succeed, { concurrency: 2, name: "rows" }),
        Pipeline.stage("all")
      )
      assert.deepStrictEqual(yield* edges(pipeline), {
        "stage rows": ["source rows"],
        "mapParallel rows": ["stage rows"],
        all: ["mapParallel rows"]
      })
    }))

  it.effect("is absent for a stage that no other one is before", () =>
    Effect.gen(function*() {
      const { report } = yield* inJob(() =>
        Stream.make(1).pipe(Pipeline.upstream("nobody"), Pipeline.stage("alone"), Stream.runDrain)
      )
      assert.deepStrictEqual(report.stages, [{ name: "alone", kind: "stage", count: 1 }])
    }))
})
