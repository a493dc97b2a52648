import { assert, describe, it } from "@effect/vitest"
import { bin, fixture, Started } from "../../support/cli.ts"
import { reportOn } from "../../support/report.ts"

/** Sends SIGTERM to a job at work, and waits for its end. */
const terminated = async (act: "units" | "work", ...args: ReadonlyArray<string>) => {
  const payload = JSON.stringify({ act })
  const run = new Started([bin, "run", fixture("units.ts"), "--payload", payload, "--format", "json", ...args])
  await run.said("work begins")
  assert.strictEqual(await run.signal("SIGTERM").ended(), 143, run.stderr)
  const report = reportOn(run)
  assert.isTrue(report.clean)
  assert.strictEqual(report.trigger, "signal")
  return {
    report,
    phases: report.phases.map(({ phase }) => phase),
    begun: run.count("work begins"),
    done: run.count("work ends")
  }
}

describe("autostop run: after SIGTERM", () => {
  for (const args of [[], ["--isolate"]]) {
    const where = args.length === 0 ? "" : ", in a process of its own"
    it(`a unit of work ends, and no other begins${where}`, async () => {
      const { begun, done, phases, report } = await terminated("units", ...args)
      assert.strictEqual(done, begun)
      assert.deepStrictEqual(report.stages, [{ name: "unit", kind: "unit", count: done }])
      assert.deepStrictEqual(phases, ["drain"])
    })
  }

  it("a unit of work is cut off by the limit of the drain", async () => {
    const { begun, done, phases, report } = await terminated("units", "--drain-timeout", "1ms")
    assert.strictEqual(done, begun - 1)
    assert.strictEqual(report.stages[0]?.dropped, 1)
    assert.deepStrictEqual(phases, ["drain", "cancel"])
  })

  it("the whole run ends if `--drain run` says so, and is cancelled at once otherwise", async () => {
    const told = await terminated("work", "--drain", "run")
    assert.strictEqual(told.done, 1)
    assert.strictEqual(told.report.outcome, "succeeded")
    assert.deepStrictEqual(told.phases, ["drain"])
    const untold = await terminated("work")
    assert.strictEqual(untold.done, 0)
    assert.deepStrictEqual(untold.phases, ["cancel"])
  })
})
