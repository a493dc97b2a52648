import { assert, describe, it } from "@effect/vitest"
import { EventProjection } from "../../../src/jobProcess/eventProjection.ts"
import { stopTimeline } from "../../../src/jobProcess/stopTimeline.ts"
import type { JobEvent } from "../../../src/JobEvent.ts"
import { mostBars, stopPicture } from "../../../src/page/stop/stopPicture.ts"

const at = (ms: number): string => new Date(Date.UTC(2026, 0, 1) + ms).toISOString()
const request: JobEvent = { _tag: "StopRequested", at: at(0), trigger: "stopped", mode: "drain", deadlineMs: 10_000 }

const pictureAt = (ms: number, events: ReadonlyArray<JobEvent>) => {
  const job = new EventProjection({ job: "j", jobId: "j", environment: "", startedAt: at(0) })
  for (const event of events) job.apply(event)
  const stop = stopTimeline(job, Date.parse(at(ms)))
  if (stop._tag === "Running") return assert.fail("it is not stopping")
  return stopPicture(stop, job)
}

const started = (service: string): ReadonlyArray<JobEvent> => [
  { _tag: "ServiceStarting", at: at(-9), service },
  { _tag: "ServiceStarted", at: at(-8), service, startMs: 1 }
]

describe("the picture of a stop", () => {
  it("has phases one after the other, and each release where it happened", () => {
    const { phases, services, spanMs } = pictureAt(3_000, [
      ...started("Db"),
      ...started("Api"),
      request,
      { _tag: "PhaseStarted", at: at(0), phase: "drain", limitMs: 2_000 },
      { _tag: "PhaseEnded", at: at(400), phase: "drain", durationMs: 400, timedOut: false },
      { _tag: "PhaseStarted", at: at(500), phase: "release", limitMs: 9_000 },
      { _tag: "ServiceReleasing", at: at(600), service: "Api", limitMs: 5_000 },
      { _tag: "ServiceStopped", at: at(900), service: "Api", outcome: "released", releaseMs: 300 },
      { _tag: "ServiceReleasing", at: at(1_000), service: "Db", limitMs: 5_000 }
    ])
    assert.deepStrictEqual(phases.map(({ fromMs, toMs }) => [fromMs, toMs]), [[0, 400], [500, 3_000]])
    // the first to be released stands first
    assert.deepStrictEqual(services.map(({ name, release }) => [name, release]), [
      ["Api", { fromMs: 600, toMs: 900 }],
      ["Db", { fromMs: 1_000, toMs: 3_000 }]
    ])
    assert.isAtLeast(spanMs, 10_000)
  })

  it("of many services has bars for the overdue, those under way and the slowest, and counts the others", () => {
    const names = Array.from({ length: 1_000 }, (_, index) => `S${index}`)
    const { bins, others, services } = pictureAt(6_000, [
      ...names.flatMap(started),
      request,
      ...names.slice(2).flatMap((service, index): ReadonlyArray<JobEvent> => [
        { _tag: "ServiceReleasing", at: at(10), service, limitMs: 5_000 },
        { _tag: "ServiceStopped", at: at(10 + index), service, outcome: "released", releaseMs: index }
      ]),
      { _tag: "ServiceReleasing", at: at(500), service: "S0", limitMs: 5_000 },
      { _tag: "ServiceOverdue", at: at(5_500), service: "S0", limitMs: 5_000 },
      { _tag: "ServiceReleasing", at: at(5_600), service: "S1", limitMs: 5_000 }
    ])
    assert.isAtMost(services.length, mostBars)
    for (const name of ["S0", "S1", "S999"]) assert.include(services.map(({ name }) => name), name)
    assert.strictEqual(services.length + others.length, 1_000)
    assert.strictEqual(bins.reduce((sum, { count }) => sum + count, 0), others.length)
  })
})
