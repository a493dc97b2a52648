import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Stream } from "effect"
import { Environment, Job, LocalEnvironment, Pipeline } from "../../src/index.ts"
import { assertClean, Journal, probe } from "../../src/testing.ts"
import {
  collect,
  complete,
  countsOf,
  failures,
  heap,
  inChunks,
  inJob,
  operators,
  reasons,
  toEnd,
  upTo
} from "../support/pipeline.ts"

describe("source", () => {
  it.effect("passes everything on outside of a job: elements, chunks, the end and the failure", () =>
    Effect.gen(function*() {
      const chunks = Stream.fromArrays([1, 2], [3], [4, 5, 6])
      const through = chunks.pipe(Pipeline.source("in"), Pipeline.stage("on"), Stream.chunks)
      assert.deepStrictEqual(yield* collect(through), [[1, 2], [3], [4, 5, 6]])
      const exit = yield* complete(Stream.runDrain(Stream.fail("broken").pipe(Pipeline.source("in"))))
      assert.deepStrictEqual(reasons(exit), ["Fail broken"])
    }))

  it.effect("passes everything on in a job too, and counts it", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      const { exit, report } = yield* inJob(() =>
        Stream.fromArrays([1, 2], [3], [4, 5, 6]).pipe(
          Pipeline.source("in"),
          Stream.filter((n) => n !== 3),
          Pipeline.stage("on"),
          Stream.chunks,
          Stream.runForEach((chunk) => Effect.sync(() => seen.push(chunk)))
        )
      )
      assert.isTrue(Exit.isSuccess(exit))
      assert.deepStrictEqual(seen, [[1, 2], [4, 5, 6]])
      assert.deepStrictEqual(report.stages, [
        { name: "in", kind: "source", count: 6 },
        { name: "on", kind: "stage", count: 5, upstream: ["in"] }
      ])
      assert.strictEqual(report.outcome, "succeeded")
      assert.strictEqual(report.trigger, "completed")
    }))

  const following: ReadonlyArray<readonly [string, (self: Stream.Stream<number>) => Stream.Stream<unknown>]> = [
    ["nothing", (self) => self],
    ...operators.map(([name, operator]) => [name, operator(Effect.succeed, 4)] as const),
    ["a feedback without results", Pipeline.feedback(() => Effect.succeed({}))]
  ]
  for (const [name, operator] of following) {
    it.live(`can be stopped although it never waits, before ${name}`, () =>
      Effect.gen(function*() {
        const job = Job.make("busy", {
          run: () => Stream.forever(Stream.make(1)).pipe(Pipeline.source("rows"), operator, Stream.runDrain)
        })
        const run = yield* Environment.submit(job, {})
        for (const _ of upTo(20)) yield* Effect.callback<void>((resume) => void setImmediate(() => resume(Effect.void)))
        yield* run.stop()
        const { report } = yield* run.result
        assert.strictEqual(report.outcome, "succeeded")
        assert.isAbove(report.stages[0]?.count ?? 0, 0)
      }).pipe(Effect.scoped, Effect.provide(LocalEnvironment.layer)), 20_000)
  }

  it.effect("leaves nothing behind if it is made anew for each element", () =>
    Effect.gen(function*() {
      let early = 0
      let late = 0
      const job = Job.make("files", {
        run: () =>
          Stream.range(1, 100_000).pipe(
            Stream.flatMap((n) => Stream.make(n).pipe(Pipeline.source("file"))),
            Stream.runForEach((n) =>
              Effect.sync(() => {
                if (n === 10_000) early = heap()
                if (n === 99_000) late = heap()
              })
            )
          )
      })
      yield* Environment.run(job, {})
      assert.isAbove(early, 0)
      assert.isBelow(late - early, 10_000_000)
    }).pipe(Effect.provide(LocalEnvironment.layer)), 60_000)

  it.effect("without elements completes, and the services are released", () =>
    Effect.gen(function*() {
      const journal = new Journal()
      const { at, exit, report } = yield* inJob(
        () =>
          Stream.empty.pipe(
            Pipeline.source("rows"),
            Pipeline.mapParallel(Effect.succeed, { concurrency: 4 }),
            Stream.runCollect
          ),
        undefined,
        { services: probe(journal, "db") }
      )
      assert.deepStrictEqual(exit, Exit.succeed([]))
      assert.strictEqual(at, 0)
      assertClean(report)
      assert.deepStrictEqual(countsOf(report), ["rows 0", "mapParallel 1 0"])
      assert.isTrue(journal.has("db", "released"))
    }))

  for (const [what, failure, reason] of failures) {
    if (reason === "Interrupt") continue
    it.effect(`fails the job with ${what}, and neither hangs nor tries again`, () =>
      Effect.gen(function*() {
        const journal = new Journal()
        let attempts = 0
        const { at, exit, report } = yield* inJob(
          () =>
            Stream.make(1, 2).pipe(
              Stream.concat(Stream.fromEffect(Effect.suspend(() => {
                attempts++
                return failure()
              }))),
              Pipeline.source("rows"),
              Pipeline.mapParallel((n) => Effect.as(Effect.sleep(10), n), { concurrency: 1 }),
              Stream.runDrain
            ),
          undefined,
          { services: probe(journal, "db") }
        )
        assert.deepStrictEqual(reasons(exit), [reason])
        assert.strictEqual(attempts, 1)
        assert.isAtMost(at, 20)
        assert.strictEqual(report.trigger, "failed")
        assert.strictEqual(report.outcome, "failed")
        assert.include(report.reason, "broken")
        assertClean(report)
        assert.isTrue(journal.has("db", "released"))
      }))

    for (const [name, operator] of operators) {
      it.effect(`with ${name} after it fails the job with ${what}, and what is dropped is counted`, () =>
        Effect.gen(function*() {
          const journal = new Journal()
          let delivered = 0
          const { exit, report } = yield* inJob(
            () =>
              inChunks(upTo(20), 1, 1).pipe(
                Pipeline.source("rows"),
                operator((n) => n === 12 ? failure() : Effect.as(Effect.sleep(3), n), 4),
                Stream.runForEach(() => Effect.sync(() => delivered++))
              ),
            undefined,
            { services: probe(journal, "db") }
          )
          assert.deepStrictEqual(reasons(exit), [reason])
          assert.strictEqual(report.outcome, "failed")
          assert.strictEqual(report.trigger, "failed")
          const [source, mapped] = report.stages
          assert.strictEqual(source?.count, (mapped?.count ?? 0) + (mapped?.dropped ?? 0))
          assert.strictEqual(mapped?.count, delivered)
          assertClean(report)
          assert.isTrue(journal.has("db", "released"))
        }))
    }
  }

  it.effect("gives the job its result at the instant of the last element, without polling", () =>
    Effect.gen(function*() {
      const { at, report } = yield* inJob(() =>
        inChunks(upTo(7), 1, 13).pipe(
          Pipeline.source("rows"),
          Pipeline.mapParallel((n) => Effect.as(Effect.sleep(5), n), { concurrency: 2 }),
          Stream.runDrain
        )
      )
      assert.strictEqual(at, 7 * 13 + 5)
      assert.deepStrictEqual(countsOf(report), ["rows 7", "mapParallel 1 7"])
    }))

  // The fiber lives as long as the one that runs the stream, as it does outside of a job.
  it.effect("lets a child that was forked in its input live on after the pull", () =>
    Effect.gen(function*() {
      const ticks: Array<number> = []
      const pipeline = () => {
        let beats = 0
        const beat = Effect.andThen(Effect.sleep(10), Effect.sync(() => beats++))
        return inChunks(upTo(3), 1, 0).pipe(
          Stream.tap((n) => n === 0 ? Effect.forkChild(Effect.forever(beat)) : Effect.sleep(100)),
          Pipeline.source("rows"),
          Stream.runDrain,
          Effect.andThen(Effect.sync(() => ticks.push(beats)))
        )
      }
      yield* toEnd(pipeline())
      yield* inJob(pipeline)
      assert.deepStrictEqual(ticks, [19, 19])
    }))
})
