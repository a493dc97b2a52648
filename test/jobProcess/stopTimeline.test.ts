import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema, Stream } from "effect"
import { TestClock } from "effect/testing"
import { stopLines } from "../../src/cli/views/stopLines.ts"
import { type JobEvent, LocalEnvironment } from "../../src/index.ts"
import { deathReport } from "../../src/jobProcess/deathReport.ts"
import { LatestAttempt } from "../../src/jobProcess/latestAttempt.ts"
import { type StopTimeline, stopTimeline } from "../../src/jobProcess/stopTimeline.ts"
import { Journal, probes, ServicePlans } from "../../src/testing.ts"
import { settle, submit } from "../support/jobs.ts"

const start = Date.parse("2026-01-01T00:00:00.000Z")
const at = (ms: number): string => new Date(start + ms).toISOString()
const identity = { job: "job", jobId: "1", environment: "local", startedAt: at(0) }

const projectionOf = (events: ReadonlyArray<JobEvent>) => {
  const latest = new LatestAttempt(identity)
  for (const event of events) latest.apply(event)
  return latest.projection
}
const timelineOf = (ms: number, ...events: ReadonlyArray<JobEvent | ReadonlyArray<JobEvent>>) =>
  stopTimeline(projectionOf(events.flat()), start + ms)

type Stop = Exclude<StopTimeline, { readonly _tag: "Running" }>
const stopOf = (timeline: StopTimeline): Stop =>
  timeline._tag === "Running" ? assert.fail("nobody has asked for a stop") : timeline

const started = (service: string, dependsOn: ReadonlyArray<string> = [], host?: string): ReadonlyArray<JobEvent> => [
  { _tag: "ServiceStarting", at: at(0), service },
  { _tag: "ServiceStarted", at: at(1), service, startMs: 1, dependsOn, ...(host === undefined ? {} : { host }) }
]
const requested: JobEvent = {
  _tag: "StopRequested",
  at: at(1_000),
  trigger: "stopped",
  mode: "drain",
  reason: "enough",
  deadlineMs: 10_000
}
const phase = (phase: "drain" | "release", limitMs: number): JobEvent => ({
  _tag: "PhaseStarted",
  at: at(1_000),
  phase,
  limitMs
})
const releasing = (service: string, ms: number): JobEvent => ({
  _tag: "ServiceReleasing",
  at: at(ms),
  service,
  limitMs: 5_000
})
const overdue = (service: string, ms: number): JobEvent => ({
  _tag: "ServiceOverdue",
  at: at(ms),
  service,
  limitMs: 5_000
})
const released = (service: string, ms: number): JobEvent => ({
  _tag: "ServiceStopped",
  at: at(ms),
  service,
  outcome: "released",
  releaseMs: 12
})
const warehouse = [...started("Config"), ...started("Db", ["Config"]), ...started("Warehouse", ["Db"])]

describe("the timeline of a stop", () => {
  it("says nothing of a job that nobody has asked to stop", () => {
    assert.deepStrictEqual(timelineOf(5_000, warehouse), { _tag: "Running" })
  })

  it("says whom it waits for, for how long, and all that this holds up", () => {
    const stop = stopOf(
      timelineOf(3_600, warehouse, requested, phase("release", 9_000), releasing("Warehouse", 1_000))
    )
    assert.deepStrictEqual(stop.awaited, [
      { service: "Warehouse", elapsedMs: 2_600, limitMs: 5_000, holdsUp: ["Db", "Config"] }
    ])
    assert.deepInclude(stop, {
      _tag: "Stopping",
      trigger: "stopped",
      mode: "drain",
      reason: "enough",
      whole: { elapsedMs: 2_600, limitMs: 10_000 },
      phases: [{ phase: "release", state: "underway", elapsedMs: 2_600, limitMs: 9_000 }]
    })
  })

  it("does not say that what is being released, or has been, is held up", () => {
    const events = [...warehouse, ...started("Cache", ["Db", "Config"]), requested, phase("release", 9_000)]
    const stop = stopOf(timelineOf(2_000, events, releasing("Cache", 1_500), released("Db", 1_700)))
    assert.deepStrictEqual(stop.awaited.map(({ holdsUp, service }) => [service, holdsUp]), [["Cache", ["Config"]]])
  })

  it("waits for the run as long as that is drained", () => {
    const stop = stopOf(timelineOf(1_500, warehouse, requested, phase("drain", 2_000)))
    assert.deepStrictEqual(stop.awaited, [{ service: undefined, elapsedMs: 500, limitMs: 2_000, holdsUp: [] }])
  })

  it("waits for nobody whose release has passed its limit, unless its host has to be killed", () => {
    const events = [...warehouse, requested, phase("release", 9_000), releasing("Warehouse", 1_000)]
    const stop = stopOf(timelineOf(6_100, events, overdue("Warehouse", 6_000)))
    assert.deepStrictEqual(stop.awaited, [])
    assert.deepInclude(stop.services.at(-1), { name: "Warehouse", isOverdue: true, state: "releasing" })
    const hosted = [...started("Db"), ...started("Far", ["Db"], "process"), requested, releasing("Far", 1_000)]
    const kill = stopOf(timelineOf(6_100, hosted, overdue("Far", 6_000)))
    assert.deepStrictEqual(kill.awaited.map(({ holdsUp, service }) => [service, holdsUp]), [["Far", ["Db"]]])
  })

  it("names the longest wait first, and has the mode of the latest request", () => {
    const kill: JobEvent = { _tag: "StopRequested", at: at(1_900), trigger: "signal", mode: "kill" }
    const stop = stopOf(
      timelineOf(2_000, started("a"), started("b"), requested, releasing("a", 1_800), releasing("b", 1_200), kill)
    )
    assert.deepStrictEqual(stop.awaited.map(({ service }) => service), ["b", "a"])
    assert.deepInclude(stop, { mode: "kill", trigger: "stopped" })
  })

  it("stands still once the job has stopped, and says that it does not know the end of what had not ended", () => {
    const stopped: JobEvent = { _tag: "JobStopped", at: at(4_000), outcome: "failed", clean: false }
    const stop = stopOf(timelineOf(60_000, warehouse, requested, phase("release", 9_000), stopped))
    assert.deepInclude(stop, { _tag: "Stopped", awaited: [], whole: { elapsedMs: 3_000, limitMs: 10_000 } })
    assert.deepStrictEqual(stop.services.map(({ state }) => state), ["lost", "lost", "lost"])
    assert.deepStrictEqual(stop.phases.map(({ state }) => state), ["timed-out"])
  })

  it("is that of the latest attempt", () => {
    const again: JobEvent = {
      _tag: "JobRestarting",
      at: at(4_000),
      attempt: 1,
      delayMs: 0,
      trigger: "failed",
      outcome: "failed",
      clean: true
    }
    assert.deepStrictEqual(timelineOf(5_000, warehouse, requested, again), { _tag: "Running" })
  })
})

const names = ["a", "b", "c", "math/a", "math[2]/a"] as const
const Step = Schema.Struct({
  kind: Schema.Literals([
    "starting",
    "started",
    "start-failed",
    "failed",
    "host",
    "host-lost",
    "requested",
    "phase",
    "phase-ended",
    "releasing",
    "releasing",
    "overdue",
    "service-stopped",
    "restarting",
    "stopped"
  ]),
  name: Schema.Literals(names),
  other: Schema.Literals(names),
  phase: Schema.Literals(["delay", "drain", "cancel", "release", "kill"]),
  outcome: Schema.Literals(["released", "release-failed", "timed-out", "killed", "abandoned"]),
  // they need not come in their order, and need not be times
  at: Schema.Union([Schema.Int.check(Schema.isBetween({ minimum: -5_000, maximum: 20_000 })), Schema.Literal("never")]),
  ms: Schema.Int.check(Schema.isBetween({ minimum: -10, maximum: 10_000 })),
  hasLimit: Schema.Boolean
})

const eventOf = (step: typeof Step.Type): JobEvent => {
  const { hasLimit, ms, name: service, outcome, phase } = step
  const when = { at: step.at === "never" ? "never" : at(step.at) }
  const limit = hasLimit ? { limitMs: ms } : {}
  switch (step.kind) {
    case "starting":
      return { _tag: "ServiceStarting", ...when, service }
    case "started":
      return {
        _tag: "ServiceStarted",
        ...when,
        service,
        startMs: ms,
        dependsOn: [step.other, service],
        ...(hasLimit ? { host: "process" } : {})
      }
    case "start-failed":
      return { _tag: "ServiceStartFailed", ...when, service, error: "no" }
    case "failed":
      return { _tag: "ServiceFailed", ...when, service, error: "no" }
    case "host":
      return { _tag: "HostStarted", ...when, service, replica: 1, pid: 7 }
    case "host-lost":
      return { _tag: "HostLost", ...when, service, replica: 1, error: "gone" }
    case "requested":
      return {
        _tag: "StopRequested",
        ...when,
        trigger: "signal",
        mode: "cancel",
        ...(hasLimit ? { deadlineMs: ms } : {})
      }
    case "phase":
      return { _tag: "PhaseStarted", ...when, phase, ...limit }
    case "phase-ended":
      return { _tag: "PhaseEnded", ...when, phase, durationMs: ms, timedOut: hasLimit }
    case "releasing":
      return { _tag: "ServiceReleasing", ...when, service, ...limit }
    case "overdue":
      return { _tag: "ServiceOverdue", ...when, service, limitMs: ms }
    case "service-stopped":
      return { _tag: "ServiceStopped", ...when, service, outcome, releaseMs: ms }
    case "restarting":
      return {
        _tag: "JobRestarting",
        ...when,
        attempt: 1,
        delayMs: 0,
        trigger: "failed",
        outcome: "failed",
        clean: false
      }
    case "stopped":
      return { _tag: "JobStopped", ...when, outcome: "failed", clean: false }
  }
}

/** What holds of the timeline of any events at any time. */
const checkAny = (timeline: StopTimeline): void => {
  if (timeline._tag === "Running") return
  const { awaited, phases, services, whole } = timeline
  for (const { elapsedMs } of [whole, ...phases, ...services, ...awaited]) assert.isAtLeast(elapsedMs, 0)
  for (const { holdsUp, service } of awaited) {
    assert.isFalse(service !== undefined && holdsUp.includes(service), "it holds itself up")
    for (const held of holdsUp) {
      assert.include(["running", "starting"], services.find(({ name }) => name === held)?.state)
    }
  }
  if (timeline._tag === "Stopped") assert.deepStrictEqual(awaited, [])
  for (const line of stopLines(timeline, 12)) assert.notMatch(line, /NaN| -\d|undefined|Infinity/)
  assert.isAtMost(stopLines(timeline, 12).length, Math.max(12, 2 + phases.length + 5))
}

describe("the timeline of any events", () => {
  it.effect.prop(
    "has no negative time, and is like the report of a job whose process died then",
    { steps: Schema.Array(Step).check(Schema.isMaxLength(30)), now: Schema.Int },
    ({ now, steps }) =>
      Effect.sync(() => {
        const latest = new LatestAttempt(identity)
        for (const step of steps) {
          latest.apply(eventOf(step))
          for (const ms of [now, 0, 10_000]) checkAny(stopTimeline(latest.projection, start + ms))
        }
        const timeline = stopTimeline(latest.projection, start)
        if (timeline._tag === "Running") return
        const death = { pid: 7, at: at(30_000), isLost: true, how: "died", gone: true, killMs: undefined }
        const report = deathReport(latest.projection, { ...death, trigger: "lost" })
        assert.deepStrictEqual(timeline.services.map(({ name }) => name), report.services.map(({ name }) => name))
        for (const { name, state } of timeline.services) {
          const line = report.services.find((line) => line.name === name)
          const isOpen = state === "starting" || state === "running" || state === "releasing" || state === "lost"
          assert.include(isOpen ? ["killed", "start-failed"] : [state], line?.outcome, name)
        }
        assert.deepStrictEqual(timeline.phases.map(({ phase }) => phase), report.phases.map(({ phase }) => phase))
      }),
    { arbitrary: { runs: 500 } }
  )

  it.effect.prop(
    "of a job is that of its report in the end, and of each beginning of them has no negative time",
    {
      plans: ServicePlans,
      mode: Schema.Literals(["drain", "cancel", "kill"]),
      releaseTimeout: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 3_000 }))
    },
    ({ mode, plans, releaseTimeout }) =>
      Effect.gen(function*() {
        const job = yield* submit(Effect.never, probes(new Journal(), plans), {
          stopPolicy: { deadline: "10 seconds", releaseTimeout }
        })
        yield* settle
        yield* TestClock.adjust("2 seconds")
        yield* job.stop({ mode })
        yield* settle
        yield* TestClock.adjust("10 minutes")
        const { report } = yield* job.result
        const events = yield* Stream.runCollect(job.events)
        for (let count = 0; count <= events.length; count++) {
          checkAny(stopTimeline(projectionOf(events.slice(0, count)), 0))
        }
        const stop = stopOf(stopTimeline(projectionOf(events), 0))
        assert.strictEqual(stop._tag, "Stopped")
        assert.strictEqual(stop.trigger, report.trigger)
        assert.deepStrictEqual(
          stop.phases.map(({ elapsedMs, phase, state }) => ({
            phase,
            durationMs: elapsedMs,
            timedOut: state === "timed-out"
          })),
          report.phases
        )
        for (const line of report.services) {
          const service = stop.services.find(({ name }) => name === line.name) ?? assert.fail(line.name)
          assert.deepInclude(service, { state: line.outcome, elapsedMs: line.releaseMs }, line.name)
          // what a service depends on is told once it has started
          if (line.initialized) assert.sameMembers([...service.dependsOn], [...line.dependsOn])
        }
        assert.strictEqual(stop.services.length, report.services.length)
      }).pipe(Effect.scoped, Effect.provide(LocalEnvironment.layer)),
    { arbitrary: { runs: 40 } }
  )
})
