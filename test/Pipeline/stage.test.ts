import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema, Stream } from "effect"
import { Pipeline } from "../../src/index.ts"
import { after, between, countsOf, inChunks, inJob, operators, Shape, upTo } from "../support/pipeline.ts"

describe("the counts of a job", () => {
  const Mode = Schema.Literals(["end", "drain", "cancel", "kill", "fail"])
  const Kind = Schema.Literals(["mapParallel", "mapParallel, unordered", "keyed", "feedback", "stage"])

  it.effect.prop(
    "say how many elements each operator handed on and dropped, however the job ends",
    {
      kinds: Schema.Array(Kind).check(Schema.isMaxLength(4)),
      count: between(0, 200),
      work: between(1, 30),
      mode: Mode,
      at: between(0, 200),
      ...Shape
    },
    ({ at, concurrency, count, kinds, mode, pause, size, work }) =>
      Effect.gen(function*() {
        let emitted = 0
        let delivered = 0
        const step = (n: number): Effect.Effect<number, string> =>
          mode === "fail" && n === at ? Effect.fail("broken") : Effect.as(Effect.sleep((n * 7) % work), n)
        const stream = kinds.reduce<Stream.Stream<number, string>>(
          (self, kind) => {
            if (kind === "stage") return self.pipe(Pipeline.stage(`stage ${kinds.indexOf(kind)}`))
            const [, operator] = operators.find(([name]) => name === kind) ?? assert.fail()
            return self.pipe(operator(step, concurrency))
          },
          inChunks(upTo(count), size, pause).pipe(
            Stream.concat(mode === "end" ? Stream.empty : Stream.never),
            Pipeline.source("rows"),
            Stream.map((n) => {
              emitted++
              return n
            })
          )
        )
        const { report } = yield* inJob(
          () => Stream.runForEach(stream, () => Effect.sync(() => delivered++)),
          mode === "end" || (mode === "fail" && at < count && kinds.some((kind) => kind !== "stage"))
            ? undefined
            : after(at, { mode: mode === "fail" ? "cancel" : mode })
        )
        const [source, ...rest] = report.stages
        assert.strictEqual(source?.count ?? 0, emitted)
        let before = emitted
        for (const stage of rest) {
          // two stages of one name have one counter
          if (stage.kind === "stage") continue
          assert.strictEqual(stage.count + (stage.dropped ?? 0), before, stage.name)
          before = stage.count
        }
        assert.isAtLeast(before, delivered)
        if (report.outcome === "succeeded") assert.deepStrictEqual([emitted, before], [delivered, delivered])
      }),
    { arbitrary: { runs: 300 } }
  )

  it.effect("are pairs for a join", () =>
    Effect.gen(function*() {
      const { report } = yield* inJob(() =>
        Pipeline.join(
          Stream.make(1, 1, 2, 3).pipe(Pipeline.source("left")),
          Stream.make(1, 2, 2, 4).pipe(Pipeline.source("right")),
          { on: (n) => n, name: "pairs" }
        ).pipe(Stream.runDrain)
      )
      assert.deepStrictEqual(report.stages.toSorted((a, b) => a.name < b.name ? -1 : 1), [
        { name: "left", kind: "source", count: 4 },
        { name: "pairs", kind: "join", count: 4, upstream: ["left", "right"] },
        { name: "right", kind: "source", count: 4 }
      ])
    }))

  it.effect("are results for a feedback, which drops what still goes round", () =>
    Effect.gen(function*() {
      const loop = Pipeline.feedback(
        (n: number) => Effect.as(Effect.sleep(10), n > 0 ? { emit: [n], again: [n - 1, n - 1] } : {}),
        { concurrency: 4, name: "loop" }
      )
      const whole = yield* inJob(() => Stream.make(3).pipe(Pipeline.source("rows"), loop, Stream.runDrain))
      assert.deepStrictEqual(countsOf(whole.report), ["rows 1", "loop 7"])
      const cut = yield* inJob(
        () => Stream.make(3).pipe(Pipeline.source("rows"), loop, Stream.runDrain),
        after(15, { mode: "cancel" })
      )
      assert.deepStrictEqual(countsOf(cut.report), ["rows 1", "loop 1-2"])
    }))

  it.effect("go on if a pipeline runs again, and stay apart for two kinds of one name", () =>
    Effect.gen(function*() {
      const stream = Stream.make(1, 2, 3).pipe(
        Pipeline.source("rows"),
        Pipeline.stage("rows"),
        Pipeline.mapParallel(Effect.succeed, { concurrency: 2, name: "rows" })
      )
      const { report } = yield* inJob(() => Effect.andThen(Stream.runDrain(stream), Stream.runDrain(stream)))
      assert.deepStrictEqual(
        report.stages.map(({ count, kind }) => `${kind} ${count}`).toSorted(),
        ["mapParallel 6", "source 6", "stage 6"]
      )
    }))

  it.effect("have a line for each operator without a name", () =>
    Effect.gen(function*() {
      const { report } = yield* inJob(() =>
        Stream.make(1, 2, 3).pipe(
          Pipeline.source("rows"),
          Pipeline.mapParallel(Effect.succeed, { concurrency: 2 }),
          Stream.take(2),
          Pipeline.mapParallel(Effect.succeed, { concurrency: 2 }),
          Pipeline.keyed((n) => n, Effect.succeed, { concurrency: 2 }),
          Stream.runDrain
        )
      )
      assert.strictEqual(new Set(report.stages.map(({ name }) => name)).size, 4)
      assert.deepStrictEqual(report.stages.map(({ count }) => count), [3, 3, 2, 2])
    }))

  // Ten thousand lines of one element each would hide the rest of the report.
  it.effect("have few lines for an operator that is made anew for each element", () =>
    Effect.gen(function*() {
      const { report } = yield* inJob(() =>
        Stream.range(1, 10_000).pipe(
          Stream.flatMap((n) => Stream.make(n).pipe(Pipeline.mapParallel(Effect.succeed, { concurrency: 2 }))),
          Stream.runDrain
        )
      )
      assert.strictEqual(report.stages.reduce((sum, { count }) => sum + count, 0), 10_000)
      assert.isBelow(report.stages.length, 1_000)
    }))

  // The run does not end and its streams are not closed.
  it.effect("include as dropped what a run that cannot be interrupted still holds", () =>
    Effect.gen(function*() {
      const { report } = yield* inJob(
        () =>
          Stream.range(1, 10).pipe(
            Pipeline.source("rows"),
            Pipeline.mapParallel(() => Effect.uninterruptible(Effect.never), { concurrency: 3 }),
            Stream.runDrain
          ),
        after(10, { mode: "cancel" })
      )
      assert.isFalse(report.clean)
      assert.deepStrictEqual(countsOf(report), ["rows 10", "mapParallel 1 0-10"])
    }))

  it.effect("add up over concurrent pipelines of one job", () =>
    Effect.gen(function*() {
      const one = inChunks(upTo(50), 7, 1).pipe(
        Pipeline.source("rows"),
        Pipeline.mapParallel((n) => Effect.as(Effect.sleep(n % 3), n), { concurrency: 4, name: "work" }),
        Stream.runDrain
      )
      const { report } = yield* inJob(() => Effect.all([one, one, one], { concurrency: 3 }))
      assert.deepStrictEqual(countsOf(report), ["rows 150", "work 150"])
    }))
})
