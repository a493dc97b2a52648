import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import type { JobEvent } from "../../src/JobEvent.ts"
import { type Death, deathReport } from "../../src/jobProcess/deathReport.ts"
import { EventProjection } from "../../src/jobProcess/eventProjection.ts"
import { StopReport } from "../../src/index.ts"

const at = (second: number) => `2026-01-01T00:00:0${second}.000Z`
const started = (service: string): ReadonlyArray<JobEvent> => [
  { _tag: "ServiceStarting", at: at(0), service },
  { _tag: "ServiceStarted", at: at(1), service, startMs: 1_000 }
]
const hostOf = (service: string, pid: number): JobEvent => ({
  _tag: "HostStarted",
  at: at(1),
  service,
  replica: 0,
  pid
})

const lost: Death = {
  pid: 7,
  at: at(9),
  isLost: true,
  how: "was ended by SIGKILL",
  gone: true,
  killMs: undefined,
  trigger: "lost",
  reason: "its process was ended by SIGKILL"
}
const killed: Death = {
  ...lost,
  isLost: false,
  how: "was killed (SIGKILL)",
  killMs: 100,
  trigger: "signal",
  reason: "SIGTERM"
}

const projectionOf = (events: ReadonlyArray<JobEvent>): EventProjection => {
  const projection = new EventProjection({ job: "job", jobId: "1", environment: "local", startedAt: at(0) })
  for (const event of events) projection.apply(event)
  return projection
}
const reportOf = (events: ReadonlyArray<JobEvent>, death: Death = lost): StopReport => {
  const report = deathReport(projectionOf(events), death)
  // what is trusted must be what the Schema takes
  return Schema.decodeUnknownSync(StopReport)(JSON.parse(JSON.stringify(report)))
}
const lines = (report: StopReport) =>
  report.services.map(({ host, name, outcome, pid }) =>
    `${name} (${host}${pid === undefined ? "" : ` ${pid}`}): ${outcome}`
  )

describe("the report of a job whose process died", () => {
  it("is lost and not clean, and names the process", () => {
    const report = reportOf([])
    assert.deepInclude(report, { job: "job", trigger: "lost", outcome: "failed", clean: false, services: [] })
    assert.deepStrictEqual(report.leftovers, [{ kind: "process", detail: "pid 7 was ended by SIGKILL" }])
    assert.deepStrictEqual([report.startedAt, report.stoppedAt], [at(0), at(9)])
  })

  it("has the name and the id that the job has said, and its first request to stop", () => {
    const report = reportOf([
      { _tag: "JobSubmitted", at: at(2), jobId: "2", job: "flights" },
      { _tag: "StopRequested", at: at(3), trigger: "stopped", mode: "drain", reason: "enough" },
      { _tag: "StopRequested", at: at(4), trigger: "signal", mode: "kill", reason: "SIGINT" }
    ], killed)
    assert.deepInclude(report, { job: "flights", jobId: "2", startedAt: at(2), trigger: "stopped", reason: "enough" })
    assert.strictEqual(report.outcome, "cancelled")
  })

  it("keeps the outcome of a run that had ended", () => {
    assert.strictEqual(reportOf([{ _tag: "RunEnded", at: at(2), outcome: "succeeded" }]).outcome, "succeeded")
  })

  it("says of each service what its events say, and that what had not ended was killed with the process", () => {
    const report = reportOf([
      ...started("db"),
      ...started("cache"),
      { _tag: "ServiceStarting", at: at(1), service: "late" },
      { _tag: "ServiceReleasing", at: at(2), service: "db" },
      { _tag: "ServiceStopped", at: at(3), service: "db", outcome: "released", releaseMs: 1_000 },
      { _tag: "ServiceReleasing", at: at(4), service: "cache" }
    ], killed)
    assert.deepStrictEqual(lines(report), [
      "db (local): released",
      "cache (local 7): killed",
      "late (local 7): start-failed"
    ])
    const [db, cache, late] = report.services
    assert.deepInclude(db, { cleanupCalled: true, cleanupCompleted: true, running: false, releaseMs: 1_000 })
    assert.deepInclude(cache, { cleanupCalled: true, cleanupCompleted: false, releaseMs: 5_000, killMs: 100 })
    assert.deepInclude(late, { initialized: false, cleanupCalled: false })
    assert.deepInclude(report.leftovers, { kind: "acquire", detail: "late" })
  })

  it("says of a process that is not gone that its services still run", () => {
    const report = reportOf(started("db"), { ...killed, gone: false })
    assert.deepStrictEqual(lines(report), ["db (local 7): abandoned"])
    assert.isTrue(report.services[0]?.running)
    assert.deepStrictEqual(report.phases, [{ phase: "kill", durationMs: 100, timedOut: true }])
  })

  it("cuts off the phase that had not ended, and adds the kill", () => {
    const report = reportOf([
      { _tag: "PhaseStarted", at: at(1), phase: "drain" },
      { _tag: "PhaseEnded", at: at(2), phase: "drain", durationMs: 1_000, timedOut: false },
      { _tag: "PhaseStarted", at: at(3), phase: "release" }
    ], killed)
    assert.deepStrictEqual(report.phases, [
      { phase: "drain", durationMs: 1_000, timedOut: false },
      { phase: "release", durationMs: 6_000, timedOut: true },
      { phase: "kill", durationMs: 100, timedOut: false }
    ])
  })

  it("says where services in hosts lived, also those within them, and that they ended with their host", () => {
    const events: ReadonlyArray<JobEvent> = [
      ...started("math"),
      hostOf("math", 70),
      ...started("math/inner"),
      ...started("math[0]/other"),
      ...started("db")
    ]
    assert.deepStrictEqual(projectionOf(events).hostPids, [70])
    assert.deepStrictEqual(lines(reportOf(events)), [
      "math (process 70): killed",
      "math/inner (process 70): killed",
      "math[0]/other (process 70): killed",
      "db (local 7): killed"
    ])
    const ended = projectionOf([
      ...events,
      { _tag: "HostLost", at: at(5), service: "math", replica: 0, pid: 70, error: "gone" }
    ])
    assert.deepStrictEqual(ended.hostPids, [])
    assert.deepStrictEqual(ended.pending.map(({ name }) => name), ["math", "db"])
  })
})
