import { assert, describe, it } from "@effect/vitest"
import { burst, pipeLimits, reserve } from "../../src/jobProcess/pipeLimits.ts"
import { PipeMeter } from "../../src/jobProcess/pipeMeter.ts"
import type { JobMessage } from "../../src/jobProcess/protocol.ts"
import { Random } from "../support/malformed.ts"
import { reportNamed } from "../support/report.ts"

const event: JobMessage = { _tag: "RunStarted", at: "2026-01-01T00:00:00.000Z" }
const mebibyte = 1_024 * 1_024

describe("what a job sends", () => {
  it("passes without a wait as long as it is little", () => {
    const meter = new PipeMeter(pipeLimits, 0)
    for (let now = 0; now < 1_000_000; now += 10) {
      assert.deepStrictEqual(meter.take(event, 1_000, now), { _tag: "Pass", pauseMs: 0 })
    }
  })

  it("passes no faster than its rate in the long run, whatever the lengths of the messages", () => {
    const random = new Random(1)
    const meter = new PipeMeter(pipeLimits, 0)
    let now = 0
    let sent = 0
    while (sent < 500 * mebibyte) {
      const bytes = 1 + random.below(pipeLimits.event)
      const verdict = meter.take(random.oneIn(2) ? event : undefined, bytes, now)
      assert.strictEqual(verdict._tag, "Pass")
      sent += bytes
      if (verdict._tag === "Pass") now += verdict.pauseMs
      assert.isAtMost(sent, burst + pipeLimits.perSecond * now / 1_000 + 1)
    }
  })

  it("stops a job once its events are too many, and kills its process if it goes on", () => {
    const meter = new PipeMeter({ ...pipeLimits, events: 10 * mebibyte }, 0)
    const verdicts: Array<string> = []
    let sent = 0
    for (; !verdicts.includes("Kill"); sent += 100_000) verdicts.push(meter.take(event, 100_000, 0)._tag)
    assert.strictEqual(verdicts.filter((tag) => tag === "Stop").length, 1)
    assert.strictEqual(verdicts.indexOf("Stop"), Math.floor(10 * mebibyte / 100_000))
    assert.isAtMost(sent, 10 * mebibyte + reserve + 100_000)
  })

  it("may be one long report, but no long event", () => {
    const meter = new PipeMeter(pipeLimits, 0)
    const report: JobMessage = { _tag: "Reported", report: reportNamed("a") }
    assert.deepStrictEqual(meter.take(report, pipeLimits.message, 0), { _tag: "Pass", pauseMs: 0 })
    for (const message of [event, undefined, { _tag: "Stages", stages: [] } as const]) {
      assert.deepInclude(meter.take(message, pipeLimits.event + 1, 0), { _tag: "Kill" })
    }
  })
})
