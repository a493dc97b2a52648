import { assert, describe, it } from "@effect/vitest"
import { Effect, Metric, Stream } from "effect"
import {
  Environment,
  Job,
  LocalEnvironment,
  Observability,
  Pipeline,
  type StageReport,
  type StopReport
} from "../../src/index.ts"
import { toEnd } from "../support/pipeline.ts"

/** Runs a pipeline with metrics, and returns its report and the metrics. */
const measured = (
  pipeline: Stream.Stream<unknown>,
  run: (self: Stream.Stream<unknown>) => Effect.Effect<void> = Stream.runDrain
) =>
  Effect.gen(function*() {
    const job = Job.make("pipeline").implement({ run: () => run(pipeline) })
    const { report } = yield* toEnd(Effect.scoped(Effect.flatMap(Environment.submit(job), ({ result }) => result)))
    return { report, metrics: Metric.snapshotUnsafe(yield* Effect.context<never>()) }
  }).pipe(
    Effect.provide(LocalEnvironment.layer),
    Effect.provide(Observability.layer),
    Effect.provideService(Metric.MetricRegistry, new Map())
  )

const stageOf = ({ stages }: StopReport, name: string): StageReport =>
  stages.find((stage) => stage.name === name) ?? assert.fail(name)

const timesOf = (report: StopReport, name: string) => {
  const { backpressured = -1, busy = -1, idle = -1 } = stageOf(report, name).timeMs ?? {}
  return { busy, idle, backpressured }
}

/** Ten elements, each of which takes so many milliseconds until it is there. */
const ticks = (ms: number) =>
  Stream.range(1, 10).pipe(Stream.rechunk(1), Stream.mapEffect((n) => Effect.as(Effect.sleep(ms), n)))

const sleeping = (ms: number) => Stream.mapEffect((n: number) => Effect.as(Effect.sleep(ms), n))

describe("the times of stages", () => {
  it.effect("say who works, who waits, and who is held back", () =>
    Effect.gen(function*() {
      const { report } = yield* measured(
        ticks(10).pipe(
          Pipeline.source("rows"),
          sleeping(30),
          Pipeline.stage("read"),
          sleeping(5),
          Pipeline.stage("written")
        ),
        Stream.runForEach(() => Effect.sleep(100))
      )
      assert.deepStrictEqual(timesOf(report, "rows"), { busy: 0, idle: 100, backpressured: 1_350 })
      assert.deepStrictEqual(timesOf(report, "read"), { busy: 300, idle: 100, backpressured: 1_050 })
      assert.deepStrictEqual(timesOf(report, "written"), { busy: 50, idle: 400, backpressured: 1_000 })
      // 2 % is what a bucket may be off
      assert.approximately(stageOf(report, "rows").p95Ms ?? 0, 10, 0.3)
      assert.approximately(stageOf(report, "read").p95Ms ?? 0, 30, 0.9)
      assert.approximately(stageOf(report, "written").p95Ms ?? 0, 5, 0.2)
      assert.strictEqual(stageOf(report, "read").durations?.reduce((sum, n) => sum + n), 10)
    }))

  it.effect("hold where streams are opened one after the other, and side by side", () =>
    Effect.gen(function*() {
      const one = (name: string) => ticks(10).pipe(Pipeline.source(name))
      const rest = Stream.range(1, 3).pipe(Stream.rechunk(1), sleeping(50))
      const after = yield* measured(Stream.concat(Stream.concat(one("a"), one("b")), rest).pipe(Pipeline.stage("all")))
      assert.deepStrictEqual(timesOf(after.report, "all"), { busy: 150, idle: 200, backpressured: 0 })
      const beside = yield* measured(
        Stream.merge(one("a"), Stream.concat(Stream.fromEffectDrain(Effect.sleep(40)), one("b"))).pipe(
          Pipeline.stage("all"),
          sleeping(1)
        )
      )
      const { backpressured, busy, idle } = timesOf(beside.report, "all")
      assert.strictEqual(backpressured, 20)
      assert.strictEqual(busy, 0)
      assert.isAtLeast(idle, 120)
    }))

  it.effect("of parallel work are backpressure without room, and idleness without work", () =>
    Effect.gen(function*() {
      const { report } = yield* measured(
        ticks(10).pipe(
          Pipeline.source("rows"),
          Pipeline.mapParallel((n) => Effect.as(Effect.sleep(4), n), { concurrency: 2, name: "work" }),
          Pipeline.stage("done")
        )
      )
      assert.deepStrictEqual(timesOf(report, "work"), { busy: 40, idle: 64, backpressured: 0 })
      assert.deepStrictEqual(timesOf(report, "done"), { busy: 0, idle: 104, backpressured: 0 })
      assert.approximately(stageOf(report, "work").p95Ms ?? 0, 4, 0.2)
      // there is room for 256 results, and each element makes 10
      const full = yield* measured(
        Stream.range(1, 60).pipe(
          Pipeline.feedback((n: number) => Effect.as(Effect.sleep(1), { emit: Array.from({ length: 10 }, () => n) }), {
            name: "work"
          })
        ),
        (self) => Stream.runForEach(Stream.chunks(self), () => Effect.sleep(1_000))
      )
      const { backpressured, busy } = timesOf(full.report, "work")
      assert.strictEqual(busy, 60)
      assert.strictEqual(backpressured, 2 * (1_000 - 26))
    }))

  it.effect("are estimated once too many chunks pass to time each", () =>
    Effect.gen(function*() {
      const { report } = yield* measured(
        Stream.range(1, 2_000).pipe(Stream.rechunk(1), sleeping(1), Pipeline.stage("read"), sleeping(3))
      )
      const { backpressured, busy, idle } = timesOf(report, "read")
      assert.approximately(busy, 2_000, 20)
      assert.approximately(backpressured, 6_000, 20)
      assert.strictEqual(idle, 0)
      const { durations = [] } = stageOf(report, "read")
      // each second of the real clock begins to time anew
      assert.isBelow(durations.reduce((sum, n) => sum + n), 2_000)
    }))

  it.effect("are those of all the streams of a stage together", () =>
    Effect.gen(function*() {
      const pipeline = ticks(10).pipe(Pipeline.source("rows"), sleeping(20), Pipeline.stage("read"))
      const { report } = yield* measured(Stream.mergeAll([pipeline, pipeline, pipeline], { concurrency: 3 }))
      assert.strictEqual(timesOf(report, "read").busy, 600)
    }))

  it.effect("are metrics, and so is what is held and worked on", () =>
    Effect.gen(function*() {
      const { metrics } = yield* measured(
        ticks(10).pipe(Pipeline.source("rows"), sleeping(30), Pipeline.stage("read"))
      )
      const found = metrics.flatMap(({ attributes, id, state }) =>
        id === "autostop.stage.time" && attributes?.["stage"] === "read" && "count" in state
          ? [[attributes["state"], state.count]]
          : []
      )
      assert.deepStrictEqual(found.toSorted(), [["busy", 0.3], ["idle", 0.1]])
      const durations = metrics.find(({ attributes, id }) =>
        id === "autostop.stage.duration" && attributes?.["stage"] === "read"
      )
      assert.deepInclude(durations?.state, { count: 10 })
    }))

  it.effect("are not measured without metrics", () =>
    Effect.gen(function*() {
      const job = Job.make("pipeline").implement({ run: () => Stream.runDrain(ticks(1).pipe(Pipeline.source("rows"))) })
      const { report } = yield* toEnd(Effect.scoped(Effect.flatMap(Environment.submit(job), ({ result }) => result)))
      assert.deepStrictEqual(report.stages, [{ name: "rows", kind: "source", count: 10 }])
    }).pipe(Effect.provide(LocalEnvironment.layer)))
})
