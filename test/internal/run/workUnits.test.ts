import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, Latch, Layer, Schema, Stream } from "effect"
import { Environment, Job, LocalEnvironment, Pipeline } from "../../../src/index.ts"
import { after, between, countsOf, inJob } from "../../support/pipeline.ts"

const phasesOf = (report: { readonly phases: ReadonlyArray<{ readonly phase: string; readonly timedOut: boolean }> }) =>
  report.phases.map(({ phase, timedOut }) => `${phase}${timedOut ? " timed out" : ""}`)

const now = Effect.clockWith((clock) => Effect.sync(() => clock.currentTimeMillisUnsafe()))

/** Notes when each unit begins, and how it ends. */
class Trace {
  readonly units: Array<{ readonly begin: number; end: number; how: "ended" | "failed" | "cut off" | "running" }> = []

  unit(ms: number, fails = false): Effect.Effect<void, string> {
    return Effect.flatMap(now, (begin) => {
      const unit: Trace["units"][number] = { begin, end: Infinity, how: "running" }
      this.units.push(unit)
      return Effect.andThen(Effect.sleep(ms), fails ? Effect.fail("broken") : Effect.void).pipe(
        Effect.onExit((exit) =>
          Effect.map(now, (end) => {
            unit.end = end
            unit.how = Exit.isSuccess(exit) ? "ended" : Cause.hasInterruptsOnly(exit.cause) ? "cut off" : "failed"
          })
        )
      )
    })
  }

  count(...hows: ReadonlyArray<string>): number {
    return this.units.filter(({ how }) => hows.includes(how)).length
  }
}

const Work = Schema.Struct({ pause: between(0, 40), ms: between(1, 60), fails: Schema.Literals([false, false, true]) })
const Worker = Schema.Struct({
  where: Schema.Literals(["run", "service", "detached"]),
  work: Schema.Array(Work).check(Schema.isMinLength(1), Schema.isMaxLength(5))
})

/** Works at its units one after the other, again and again. */
const workOn = (trace: Trace, work: ReadonlyArray<typeof Work.Type>): Effect.Effect<never> =>
  Effect.forever(
    Effect.forEach(work, ({ fails, ms, pause }) =>
      Effect.andThen(Effect.sleep(pause), Effect.ignore(Job.unit("unit", trace.unit(ms, fails)))))
  )

describe("a drain with units of work", () => {
  it.effect.prop(
    "lets those end that run, begins no others, and counts all of them, whatever works at them",
    {
      workers: Schema.Array(Worker).check(Schema.isMinLength(1), Schema.isMaxLength(5)),
      stopAt: between(1, 150),
      limit: between(1, 70)
    },
    ({ limit, stopAt, workers }) =>
      Effect.gen(function*() {
        const trace = new Trace()
        const worksAt = (where: string) => workers.filter((worker) => worker.where === where)
        const services = Layer.effectDiscard(
          Effect.forEach(worksAt("service"), ({ work }) => Effect.forkScoped(workOn(trace, work)))
        )
        const { at, report } = yield* inJob(
          () =>
            Effect.gen(function*() {
              for (const { work } of worksAt("run")) yield* Effect.forkScoped(workOn(trace, work))
              for (const { work } of worksAt("detached")) yield* Effect.forkDetach(workOn(trace, work))
              return yield* Effect.never
            }),
          after(stopAt),
          { services, stopPolicy: { drainTimeout: limit } }
        )
        const running = trace.units.filter(({ begin, end }) => begin < stopAt && end > stopAt)
        for (const unit of trace.units) assert.isAtMost(unit.begin, stopAt)
        const [stage] = report.stages
        assert.strictEqual(stage?.count ?? 0, trace.count("ended", "failed"))
        assert.strictEqual(stage?.dropped ?? 0, trace.count("cut off"))
        for (const unit of trace.units) {
          if (unit.how === "cut off") assert.isAtLeast(unit.end, stopAt + limit)
          else assert.isAtMost(unit.end, stopAt + limit)
        }
        if (running.length > 0) assert.strictEqual(report.phases[0]?.phase, "drain")
        if (report.phases[0]?.phase === "drain") {
          const last = Math.max(stopAt, ...trace.units.map(({ end }) => end))
          assert.strictEqual(report.phases[0].durationMs, Math.min(limit, last - stopAt))
        }
        assert.strictEqual(at, stopAt + (report.phases[0]?.phase === "drain" ? report.phases[0].durationMs : 0))
        assert.isTrue(report.clean)
      }),
    { arbitrary: { runs: 150 } }
  )

  it.effect("is skipped if no unit runs: a server loses no time", () =>
    Effect.gen(function*() {
      const { at, report } = yield* inJob(
        () => Effect.andThen(Job.unit("warm up", Effect.sleep(10)), Effect.never),
        after(100)
      )
      assert.strictEqual(at, 100)
      assert.deepStrictEqual(phasesOf(report), ["cancel"])
      assert.deepStrictEqual(report.stages, [{ name: "warm up", kind: "unit", count: 1 }])
    }))

  it.effect("takes none of the units along that run beside the one that is not begun", () =>
    Effect.gen(function*() {
      const trace = new Trace()
      const { at, exit, report } = yield* inJob(
        () =>
          Effect.forEach(
            [100, 300, 500, 100, 100, 100],
            (ms) => Job.unit("file", trace.unit(ms)),
            { concurrency: 3 }
          ),
        after(50)
      )
      assert.deepStrictEqual(trace.units.map(({ end, how }) => [end, how]), [
        [100, "ended"],
        [300, "ended"],
        [500, "ended"]
      ])
      assert.strictEqual(at, 500)
      assert.deepStrictEqual(phasesOf(report), ["drain"])
      assert.deepStrictEqual(countsOf(report), ["file 3"])
      assert.strictEqual(report.outcome, "cancelled")
      assert.isTrue(Exit.isFailure(exit) && Job.isNotBegun(exit.cause))
    }))

  it.effect("lets the run end that only waited for its last unit", () =>
    Effect.gen(function*() {
      const { at, exit, report } = yield* inJob(
        () => Effect.map(Job.unit("all", Effect.as(Effect.sleep(2_000), 7)), (n) => n + 1),
        after(100)
      )
      assert.strictEqual(at, 2_000)
      assert.deepStrictEqual(exit, Exit.succeed(8))
      assert.deepStrictEqual(phasesOf(report), ["drain"])
      assert.strictEqual(report.outcome, "succeeded")
    }))

  it.effect("lets a unit that runs begin others", () =>
    Effect.gen(function*() {
      const trace = new Trace()
      const parts = Effect.forEach([50, 60, 70], (ms) => Job.unit("part", trace.unit(ms)))
      const { at, report } = yield* inJob(() => Effect.andThen(Job.unit("whole", parts), Effect.never), after(20))
      assert.strictEqual(trace.count("ended"), 3)
      assert.strictEqual(at, 180)
      assert.deepStrictEqual(countsOf(report), ["whole 1", "part 3"])
    }))

  it.effect("does not take the units of a job within a unit of another job for parts of that", () =>
    Effect.gen(function*() {
      const trace = new Trace()
      const loop = (ms: number) => Effect.forkScoped(Effect.forever(Job.unit("inner", trace.unit(ms))))
      const inner = Job.make("inner", {
        services: Layer.effectDiscard(Effect.andThen(loop(50), loop(70))),
        run: () => Effect.never
      })
      const { report } = yield* inJob(() =>
        Job.unit(
          "outer",
          Effect.gen(function*() {
            const run = yield* Environment.submit(inner)
            yield* Effect.sleep(120)
            yield* run.stop()
            yield* run.result
          }).pipe(Effect.scoped, Effect.provide(LocalEnvironment.layer))
        )
      )
      assert.isTrue(trace.units.every(({ begin, how }) => begin <= 120 && how === "ended"))
      assert.strictEqual(trace.units.length, 5)
      assert.deepStrictEqual(countsOf(report), ["outer 1"])
    }))

  it.effect("lets the elements that a source emitted be units, and what follows the stream", () =>
    Effect.gen(function*() {
      const trace = new Trace()
      const { report } = yield* inJob(
        () =>
          Stream.concat(Stream.range(1, 10), Stream.never).pipe(
            Pipeline.source("rows"),
            Pipeline.mapParallel(() => Job.unit("row", trace.unit(100)), { concurrency: 2 }),
            Stream.runDrain,
            Effect.andThen(Job.unit("summary", Effect.sleep(50)))
          ),
        after(150)
      )
      assert.strictEqual(trace.count("ended"), 10)
      assert.deepStrictEqual(countsOf(report), ["rows 10", "mapParallel 1 10", "row 10", "summary 1"])
      assert.strictEqual(report.outcome, "succeeded")
      assert.deepStrictEqual(phasesOf(report), ["drain"])
    }))

  it.effect("waits for units although the run has ended or failed, but not after a harsher stop", () =>
    Effect.gen(function*() {
      const services = (trace: Trace) =>
        Layer.effectDiscard(Effect.forkScoped(Effect.ignore(Job.unit("unit", trace.unit(500)))))
      for (const run of [Effect.sleep(100), Effect.andThen(Effect.sleep(100), Effect.fail("broken"))]) {
        const trace = new Trace()
        const start = yield* now
        const { at, report } = yield* inJob(() => run, undefined, { services: services(trace) })
        assert.strictEqual(at - start, 500)
        assert.strictEqual(trace.count("ended"), 1)
        assert.deepStrictEqual(countsOf(report), ["unit 1"])
      }
      for (
        const options of [{ stop: { mode: "cancel" } }, { stop: { mode: "kill" } }, {
          policy: { strategy: "fast" }
        }] as const
      ) {
        const trace = new Trace()
        const start = yield* now
        const { at, report } = yield* inJob(
          () => Effect.never,
          after(100, "stop" in options ? options.stop : {}),
          { services: services(trace), stopPolicy: "policy" in options ? options.policy : {} }
        )
        assert.strictEqual(at - start, 100)
        assert.strictEqual(report.stages[0]?.dropped, 1)
      }
    }))

  it.effect("interrupts the fiber that is to begin another one once those that run have ended, and says why", () =>
    Effect.gen(function*() {
      const seen: Array<unknown> = []
      yield* inJob(
        () =>
          Effect.gen(function*() {
            yield* Effect.forkChild(Job.unit("early", Effect.sleep(200)))
            yield* Effect.sleep(150)
            const exit = yield* Effect.exit(Job.unit("late", Effect.sync(() => seen.push("begun"))))
            seen.push(yield* now, Exit.isFailure(exit) && Job.isNotBegun(exit.cause), Exit.hasInterrupts(exit))
            const again = yield* Effect.exit(Job.unit("later", Effect.sync(() => seen.push("begun"))))
            seen.push(yield* now, Exit.isFailure(again) && Job.isNotBegun(again.cause))
          }),
        after(100)
      )
      assert.deepStrictEqual(seen, [200, true, true, 200, true])
      assert.isFalse(Job.isNotBegun(Cause.interrupt(1)))
      assert.isFalse(Job.isNotBegun(Cause.fail("broken")))
    }))

  it.effect("counts a unit that does not end as cut off", () =>
    Effect.gen(function*() {
      const { report } = yield* inJob(
        () => Job.unit("stuck", Effect.uninterruptible(Effect.never)),
        after(100),
        { stopPolicy: { drainTimeout: 50, cancelTimeout: 50 } }
      )
      assert.deepStrictEqual(countsOf(report), ["stuck 0-1"])
      assert.deepStrictEqual(phasesOf(report).slice(0, 2), ["drain timed out", "cancel timed out"])
    }))

  it.effect("goes on with the delay, in which units begin as ever", () =>
    Effect.gen(function*() {
      const trace = new Trace()
      const { at } = yield* inJob(
        () => Effect.forever(Effect.andThen(Effect.sleep(10), Job.unit("unit", trace.unit(10)))),
        after(100),
        { stopPolicy: { delay: 95 } }
      )
      assert.strictEqual(at, 200)
      assert.strictEqual(trace.count("ended"), 10)
    }))

  it.effect("keeps an idle job from stopping while a unit runs", () =>
    Effect.gen(function*() {
      const { at, report } = yield* inJob(
        () => Effect.andThen(Job.unit("unit", Effect.sleep(1_000)), Effect.never),
        undefined,
        { autostop: { idle: 100 } }
      )
      assert.strictEqual(at, 1_100)
      assert.strictEqual(report.trigger, "idle")
    }))
})

describe("a unit", () => {
  it.effect("outside of a job is the effect, in both forms", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* Job.unit("unit", Effect.succeed(1)), 1)
      assert.strictEqual(yield* Effect.succeed(2).pipe(Job.unit("unit")), 2)
      assert.deepStrictEqual(yield* Effect.exit(Job.unit("unit", Effect.fail("no"))), Exit.fail("no"))
    }))

  it.effect("that is interrupted by its own program counts as cut off, and as running no longer", () =>
    Effect.gen(function*() {
      const begun = Latch.makeUnsafe()
      const { report } = yield* inJob(() =>
        Effect.gen(function*() {
          const fiber = yield* Effect.forkChild(Job.unit("unit", Effect.andThen(begun.open, Effect.never)))
          yield* begun.await
          yield* Fiber.interrupt(fiber)
          yield* Effect.forEach([1, 2, 3], () => Job.unit("unit", Effect.void), { concurrency: "unbounded" })
        })
      )
      assert.deepStrictEqual(report.stages, [{ name: "unit", kind: "unit", count: 3, dropped: 1 }])
      assert.deepStrictEqual(phasesOf(report), [])
    }))
})

describe("a drain that waits for the whole run", () => {
  const run = { stopPolicy: { drain: "run" } } as const

  it.effect("lets it end, with neither source nor unit, within its limit", () =>
    Effect.gen(function*() {
      const work = () => Effect.as(Effect.sleep(2_000), "done")
      const { at, exit, report } = yield* inJob(work, after(100), run)
      assert.strictEqual(at, 2_000)
      assert.deepStrictEqual(exit, Exit.succeed("done"))
      assert.deepStrictEqual(phasesOf(report), ["drain"])
      const start = yield* now
      const short = yield* inJob(work, after(100), { stopPolicy: { drain: "run", drainTimeout: 500 } })
      assert.strictEqual(short.at - start, 600)
      assert.strictEqual(short.report.outcome, "cancelled")
      const without = yield* inJob(work, after(100))
      assert.deepStrictEqual(phasesOf(without.report), ["cancel"])
    }))

  it.effect("lets it begin units, and ends its sources", () =>
    Effect.gen(function*() {
      const trace = new Trace()
      const { at, report } = yield* inJob(
        () =>
          Effect.gen(function*() {
            yield* Effect.forEach([1, 2, 3], () => Job.unit("unit", trace.unit(100)))
            yield* Stream.never.pipe(Pipeline.source("rows"), Stream.runDrain)
          }),
        after(50),
        run
      )
      assert.strictEqual(at, 300)
      assert.deepStrictEqual(countsOf(report), ["unit 3", "rows 0"])
      assert.strictEqual(report.outcome, "succeeded")
    }))

  it.effect("does not wait for a run that has not begun", () =>
    Effect.gen(function*() {
      const { at, report } = yield* inJob(
        () => Effect.sleep(5_000),
        after(100),
        { ...run, services: Layer.effectDiscard(Effect.sleep(1_000)) }
      )
      assert.isAtMost(at, 1_000)
      assert.notInclude(phasesOf(report), "drain")
    }))
})
