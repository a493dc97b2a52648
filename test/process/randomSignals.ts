import { assert, it } from "@effect/vitest"
import { assertClean } from "../../src/testing.ts"
import { life, politeSignals } from "../support/cli.ts"
import { reportOn } from "../support/report.ts"

/** Signals at random moments, so many times each. */
export const randomSignals = (rounds: number): void => {
  it(`leads to the exact exit code at a random moment of a life (${rounds} times), and what was opened is closed`, async () => {
    for (let round = 0; round < rounds; round++) {
      const [signal, code] = politeSignals[round % politeSignals.length] ?? assert.fail()
      const settings = { act: ["wait", "drain", "spin"][round % 3] ?? "", open: "slow", close: "slow" }
      const run = await life(settings, "--format", "json").said("JobSubmitted")
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 800))
      const ended = await run.signal(signal).ended()
      assert.strictEqual(ended, code, `${run.stdout}\n${run.stderr}`)
      assert.strictEqual(run.count("closed "), run.count("opened "), run.stdout)
      assertClean(reportOn(run))
    }
  })

  it(`ends a program at a random moment while it loads (${rounds} times)`, async () => {
    for (let round = 0; round < rounds; round++) {
      const [signal, code] = politeSignals[round % politeSignals.length] ?? assert.fail()
      const run = life({ act: "wait" })
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 400))
      const ended = await run.signal(signal).ended()
      // before the first line of ours runs, the system ends the process
      assert.include([code, signal], ended, run.stderr)
      assert.strictEqual(run.count("closed "), run.count("opened "), run.stdout)
    }
  })

  it(`that comes twice in a row at a random moment (${rounds} times) never hangs, and reports what was not released`, async () => {
    for (let round = 0; round < rounds; round++) {
      const run = await life({ act: "drain", open: "slow", close: "slow" }, "--format", "json").said("JobSubmitted")
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 800))
      run.signal("SIGINT")
      await run.said("SIGINT: stopping")
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 100))
      // within 500 ms it is the same request, later the second one
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 600))
      const ended = await run.signal("SIGINT").ended()
      // on a machine on which the rest takes longer than a second signal leaves, there is no report
      if (run.stderr.includes("The time is up.")) {
        assert.strictEqual(ended, 3)
        continue
      }
      const report = reportOn(run)
      assert.strictEqual(ended, report.clean ? 130 : 3, run.stderr)
      if (report.clean) assert.strictEqual(run.count("closed "), run.count("opened "))
    }
  })
}
