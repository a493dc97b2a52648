import { assert, describe, it } from "@effect/vitest"
import { assertClean } from "../../src/testing.ts"
import { pathToFileURL } from "node:url"
import type { StopReport } from "../../src/index.ts"
import { bin, bothReleased, fates, fixture, life, Started } from "../support/cli.ts"
import { Ran } from "../support/jobProcess.ts"
import { reportOn } from "../support/report.ts"

/** `autostop run` of a job that drains, in a process with such a library. */
const within = (
  library: string,
  settings: Record<string, string> = { act: "drain", close: "slow" },
  ...flags: ReadonlyArray<string>
): Started =>
  new Started(
    [bin, "run", fixture("library.ts"), "--payload", JSON.stringify(settings), "--format", "json", ...flags],
    {
      LIFE: JSON.stringify(settings),
      LIBRARY: library
    }
  )

const assertDrained = (run: Started) => {
  const report = reportOn(run)
  assertClean(report)
  assert.deepInclude(report, { trigger: "signal", outcome: "succeeded" })
  const [ticks, , mapped] = report.stages
  assert.strictEqual(mapped?.count, ticks?.count)
  assert.include(run.stdout, `delivered ${ticks?.count}\n`)
  assert.deepStrictEqual(fates(run), bothReleased)
}

describe("a finalizer that calls process.exit ends there: the stop is not clean, and names it,", () => {
  const outcomes = (report: StopReport) =>
    report.services.map(({ error = "", name, outcome }) => [name, outcome, error])
  const expected = [["inner", "released", ""], ["outer", "release-failed", "process.exit(0) was called"]]

  for (const flags of [[], ["--isolate"]]) {
    it(`in the process of \`autostop run ${flags.join()}\``, async () => {
      const run = await life({ act: "wait", close: "exit" }, "--format", "json", ...flags).said("ready")
      assert.strictEqual(await run.signal("SIGTERM").ended(), 3, run.stderr)
      assert.deepStrictEqual(outcomes(reportOn(run)), expected)
      assert.isFalse(reportOn(run).clean)
      assert.deepStrictEqual(fates(run), { opened: 2, closed: 1 })
    })
  }

  it("in the process of a job of a manager", async () => {
    const settings = { act: "end", open: "well", close: "exit" }
    const ran = new Ran(
      { job: "life", payload: settings },
      { LIFE: JSON.stringify(settings) },
      pathToFileURL(fixture("life.ts")).href
    )
    const { report } = await ran.ended()
    assert.deepStrictEqual(outcomes(report), expected)
    assert.isFalse(report.clean)
  })
})

describe("a library in the process", () => {
  for (
    const library of ["exits at the signal", "exits first at the signal", "exits later", "really exits", "exits with 0"]
  ) {
    it(`that ${library} does not turn the drain into a cancel, and is noted`, async () => {
      const run = await within(library).said("ready")
      assert.strictEqual(await run.signal("SIGTERM").ended(), 143, run.stderr)
      assertDrained(run)
      assert.include(run.stderr, "was called during the stop, which goes on to its end")
    })
  }

  it("that raises the signal again does not make a second request of it", async () => {
    const run = await within("raises it again", { act: "drain" }, "--delay", "2s").said("ready")
    assert.strictEqual(await run.signal("SIGTERM").ended(), 143, run.stderr)
    assertDrained(run)
    assert.include(run.stderr, "process.kill(process.pid, \\\"SIGTERM\\\") was called during the stop")
  })

  for (const library of ["removes listeners", "removes all listeners"]) {
    it(`that ${library} does not keep the process from stopping well`, async () => {
      const run = await within(library).said("ready")
      assert.strictEqual(await run.signal("SIGTERM").ended(), 143, run.stderr)
      assertDrained(run)
    })
  }

  it("that sets process.exitCode has its code in the end, unless something is worse", async () => {
    const done = within("sets exitCode", { act: "end" })
    assert.strictEqual(await done.ended(), 5, done.stderr)
    const failed = within("sets exitCode", { act: "fail" })
    assert.strictEqual(await failed.ended(), 5, failed.stderr)
    const stopped = await within("sets exitCode").said("ready")
    assert.strictEqual(await stopped.signal("SIGTERM").ended(), 143, stopped.stderr)
    const unclean = within("sets exitCode", { act: "end", close: "die" })
    assert.strictEqual(await unclean.ended(), 3, unclean.stderr)
  })

  it("that sets process.exitCode to 0 at the exit does not hide what is worse", async () => {
    const failed = within("sets exitCode to 0 at exit", { act: "fail" })
    assert.strictEqual(await failed.ended(), 1, failed.stderr)
  })
})
