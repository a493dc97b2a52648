import { assert, describe, it } from "@effect/vitest"
import type { JobEvent, StageReport } from "../../src/index.ts"
import { RunMeter, type Update } from "../../src/telemetry/runMeter.ts"
import { StageMeter } from "../../src/telemetry/stageMeter.ts"

const start = Date.parse("2026-01-01T00:00:00.000Z")
const at = (ms: number): string => new Date(start + ms).toISOString()

const updatesOf = (events: ReadonlyArray<JobEvent>, startedAt?: string): ReadonlyArray<Update> => {
  const meter = new RunMeter("flights", startedAt)
  return events.flatMap((event) => meter.apply(event))
}
const submitted: JobEvent = { _tag: "JobSubmitted", at: at(0), jobId: "1", job: "flights" }
const requested = (ms: number, mode: "drain" | "kill" = "drain", deadlineMs?: number): JobEvent => ({
  _tag: "StopRequested",
  at: at(ms),
  trigger: mode === "drain" ? "signal" : "stopped",
  mode,
  ...(deadlineMs === undefined ? {} : { deadlineMs })
})
const stopped = (ms: number, clean = true): JobEvent => ({
  _tag: "JobStopped",
  at: at(ms),
  outcome: "cancelled",
  clean
})

describe("the events of a job as numbers", () => {
  it("a stop has its first trigger, its last mode, its length and the share of its deadline", () => {
    assert.deepStrictEqual(
      updatesOf([submitted, requested(1_000, "drain", 4_000), requested(2_000, "kill", 3_000), stopped(3_000, false)]),
      [
        {
          metric: "autostop.stop.duration",
          value: 2,
          labels: { job_name: "flights", trigger: "signal", mode: "kill", clean: "false" }
        },
        { metric: "autostop.stop.deadline.used", value: 0.5, labels: { job_name: "flights" } },
        {
          metric: "autostop.job.duration",
          value: 3,
          labels: { job_name: "flights", outcome: "cancelled", clean: "false" }
        }
      ]
    )
  })

  it("without a deadline, or with one of zero, there is no share of it", () => {
    for (const deadlineMs of [undefined, 0, -1, Number.NaN]) {
      const metrics = updatesOf([submitted, requested(0, "drain", deadlineMs), stopped(1)]).map(({ metric }) => metric)
      assert.notInclude(metrics, "autostop.stop.deadline.used", String(deadlineMs))
    }
  })

  it("a job that had no process is counted, and has taken no time", () => {
    assert.deepStrictEqual(updatesOf([stopped(9_000)]).map(({ value }) => value), [0])
    assert.deepStrictEqual(updatesOf([stopped(9_000)], at(4_000)).map(({ value }) => value), [5])
  })

  it("starts, releases and phases have their durations; what did not start was not released", () => {
    const labels = { job_name: "flights", service: "app/Db" }
    assert.deepStrictEqual(
      updatesOf([
        { _tag: "ServiceStarted", at: at(5), service: "app/Db", startMs: 5 },
        { _tag: "PhaseEnded", at: at(9), phase: "drain", durationMs: 250, timedOut: true },
        { _tag: "ServiceStopped", at: at(9), service: "app/Db", outcome: "released", releaseMs: 12 },
        { _tag: "ServiceStopped", at: at(9), service: "app/Cache", outcome: "start-failed", releaseMs: 0 }
      ]),
      [
        { metric: "autostop.service.start.duration", value: 0.005, labels },
        {
          metric: "autostop.stop.phase.duration",
          value: 0.25,
          labels: { job_name: "flights", phase: "drain", timed_out: "true" }
        },
        { metric: "autostop.service.release.duration", value: 0.012, labels: { ...labels, outcome: "released" } }
      ]
    )
  })

  it("hosts are counted by where they live, and what lives in a replica by its service alone", () => {
    const host = { at: at(5), service: "Primes", replica: 2, pid: 7 }
    assert.deepStrictEqual(
      updatesOf([
        { _tag: "ServiceStarted", at: at(5), service: "Primes", startMs: 0, host: "process" },
        { _tag: "HostRestarting", ...host, attempt: 1, delayMs: 10 },
        { _tag: "HostKilled", ...host, how: "SIGKILL", killMs: 1 },
        { _tag: "ServiceStarted", at: at(5), service: "Primes[2]/Db[7]", startMs: 0 }
      ]).map(({ labels, metric }) => [metric, labels]),
      [
        ["autostop.service.start.duration", { job_name: "flights", service: "Primes" }],
        ["autostop.host.restarts", { job_name: "flights", service: "Primes", host: "process" }],
        ["autostop.host.kills", { job_name: "flights", service: "Primes", host: "process" }],
        ["autostop.service.start.duration", { job_name: "flights", service: "Primes/Db[7]" }]
      ]
    )
  })

  it("a restart ends the stop of its attempt: the next one begins with none", () => {
    const restarting: JobEvent = {
      _tag: "JobRestarting",
      at: at(2_000),
      attempt: 1,
      delayMs: 0,
      trigger: "failed",
      outcome: "failed",
      clean: true
    }
    assert.deepStrictEqual(
      updatesOf([submitted, requested(1_000), restarting, submitted, stopped(5_000)]).map(({ metric, value }) => [
        metric,
        value
      ]),
      [["autostop.stop.duration", 1], ["autostop.job.restarts", 1], ["autostop.job.duration", 5]]
    )
  })

  it("clocks that go back, and times that are none, make no negative value", () => {
    const odd = [
      ...updatesOf([{ ...submitted, at: at(9_000) }, requested(5_000, "drain", 1_000), stopped(1_000)]),
      ...updatesOf([{ ...submitted, at: "?" }, requested(0), { ...stopped(1), at: "now" }]),
      ...updatesOf([{ _tag: "ServiceStarted", at: "", service: "", startMs: Number.NaN }])
    ]
    for (const { metric, value } of odd) assert.strictEqual(value, 0, metric)
  })
})

describe("the counters of pipelines as metrics", () => {
  it("counts what was added, each stage by its kind, and from zero in the next attempt", () => {
    const meter = new StageMeter("flights")
    const counted = (count: number, dropped?: number) =>
      meter.apply([
        { name: "rows", kind: "source", count, ...(dropped === undefined ? {} : { dropped }) },
        { name: "rows", kind: "stage", count: 1 }
      ]).map(({ labels: { kind }, metric, value }) => [metric, kind, value])
    assert.deepStrictEqual(counted(10), [
      ["autostop.stage.elements", "source", 10],
      ["autostop.stage.elements", "stage", 1]
    ])
    assert.deepStrictEqual(counted(15, 2), [
      ["autostop.stage.elements", "source", 5],
      ["autostop.stage.dropped", "source", 2]
    ])
    assert.deepStrictEqual(counted(15, 2), [])
    assert.deepStrictEqual(meter.restart(), [])
    assert.deepStrictEqual(counted(3)[0], ["autostop.stage.elements", "source", 3])
  })

  it("adds times and durations, and takes back what is under way once the job has ended", () => {
    const meter = new StageMeter("flights")
    const rows = { name: "rows", kind: "keyed", count: 0 } as const
    const read = (stage: Partial<StageReport>) =>
      meter.apply([{ ...rows, ...stage }]).map(({ labels: { state }, metric, times, value }) => [
        metric.replace("autostop.stage.", ""),
        value,
        state ?? times
      ])
    assert.deepStrictEqual(
      read({ timeMs: { busy: 500, idle: 0, backpressured: 250 }, durations: [0, 2, 1], held: 5, inFlight: 2 }),
      [
        ["time", 0.5, "busy"],
        ["time", 0.25, "backpressured"],
        ["duration", 0.000_003, 2],
        ["duration", 0.000_006, 1],
        ["in_flight", 2, undefined],
        ["held", 5, undefined]
      ]
    )
    assert.deepStrictEqual(
      read({ timeMs: { busy: 500, idle: 1_000, backpressured: 250 }, durations: [0, 2, 3], held: 1 }),
      [["time", 1, "idle"], ["duration", 0.000_006, 2], ["in_flight", -2, undefined], ["held", -4, undefined]]
    )
    assert.deepStrictEqual(meter.restart().map(({ metric, value }) => [metric, value]), [["autostop.stage.held", -1]])
  })

  it("takes any durations that a job sends", () => {
    const meter = new StageMeter("flights")
    const durations = [Number.MAX_SAFE_INTEGER, -5, ...Array.from({ length: 5_000 }, () => 1)]
    const updates = meter.apply([{ name: "rows", kind: "stage", count: 0, durations }])
    assert.isAtMost(updates.reduce((sum, { times = 1 }) => sum + times, 0), 2_000)
    for (const { value } of updates) assert.isTrue(Number.isFinite(value) && value > 0)
  })
})
