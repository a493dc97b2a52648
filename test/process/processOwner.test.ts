import { assert, describe, it } from "@effect/vitest"
import { assertClean } from "../../src/testing.ts"
import { bothReleased, fates, life, politeSignals } from "../support/cli.ts"
import { reportOn } from "../support/report.ts"
import { randomSignals } from "./randomSignals.ts"

describe("a signal", () => {
  for (const [signal, code] of politeSignals) {
    it(`such as ${signal} stops a job that waits, releases its services, and exits with ${code}`, async () => {
      const run = await life({ act: "wait" }, "--format", "json").said("ready")
      assert.strictEqual(await run.signal(signal).ended(), code, run.stderr)
      const report = reportOn(run)
      assertClean(report)
      assert.deepInclude(report, { trigger: "signal", reason: signal, outcome: "cancelled" })
      assert.deepStrictEqual(fates(run), bothReleased)
      assert.include(run.stderr, "A second signal stops at once")
    })
  }

  it("drains a source: what it emitted is delivered, and the outcome is succeeded", async () => {
    const run = await life({ act: "drain" }, "--format", "json").said("ready")
    assert.strictEqual(await run.signal("SIGTERM").ended(), 143, run.stderr)
    const report = reportOn(run)
    assert.strictEqual(report.outcome, "succeeded")
    const [ticks, , mapped] = report.stages
    assert.strictEqual(mapped?.count, ticks?.count)
    assert.include(run.stdout, `delivered ${ticks?.count}\n`)
  })

  it("stops a job while its services start: what had started is released, and the run never begins", async () => {
    const run = await life({ act: "wait", open: "slow" }, "--format", "json").said("opening inner")
    assert.strictEqual(await run.signal("SIGINT").ended(), 130, run.stderr)
    assert.strictEqual(run.count("ready"), 0)
    assert.strictEqual(run.count("closed "), run.count("opened "))
    assert.isTrue(reportOn(run).clean)
  })

  it("stops a job whose acquire hangs within the deadline, with exit code 3, and the report names the acquire", async () => {
    const run = await life({ act: "wait", open: "hang" }, "--format", "json", "--deadline", "2s").said("opening outer")
    assert.strictEqual(await run.signal("SIGINT").ended(), 3)
    const report = reportOn(run)
    assert.deepInclude(report.leftovers, { kind: "acquire", detail: "outer" })
    assert.deepStrictEqual(fates(run), { opened: 1, closed: 1 })
  })

  it("that comes a second time stops at once: a release that hangs is abandoned, and the report names it", async () => {
    const run = await life({ act: "wait", close: "hang" }, "--format", "json", "--strategy", "patient").said("ready")
    await run.signal("SIGINT").said("\"_tag\":\"ServiceReleasing\"")
    assert.strictEqual(await (await run.signalAgain("SIGINT")).ended(), 3)
    assert.include(run.stderr, "stopping at once")
    const report = reportOn(run)
    assert.deepStrictEqual(report.services.map((service) => service.outcome), ["released", "abandoned"])
  })

  it("stops a run that keeps the event loop busy", async () => {
    const run = await life({ act: "spin" }, "--format", "json").said("ready")
    assert.strictEqual(await run.signal("SIGTERM").ended(), 143, run.stderr)
    assert.deepStrictEqual(fates(run), bothReleased)
  })

  randomSignals(1)
})
