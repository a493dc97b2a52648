import { assert, describe, it } from "@effect/vitest"
import { Exit } from "effect"
import type { Submission } from "../../../src/manager/models.ts"
import { decoded, Ran } from "../../support/jobProcess.ts"
import { nap } from "../fixtures/work.ts"

const run = (
  job: string,
  ms: number,
  rest: Omit<Submission, "job" | "payload"> = {},
  env: Record<string, string> = {}
) => new Ran({ job, payload: { ms }, ...rest }, env)

/** Asks a job at work to stop, and returns the result and the phases of the stop. */
const stopped = async (started: Ran) => {
  await started.said("ready")
  started.process.stop({})
  const result = await started.ended()
  return { result, phases: result.report.phases.map(({ phase }) => phase), text: started.text() }
}

describe("the drain of a job in a process of a manager", () => {
  it("waits for the run of a job that declares a result", async () => {
    const { phases, result } = await stopped(run("nap", 500))
    assert.deepStrictEqual(decoded(result, nap), Exit.succeed("rested"))
    assert.deepInclude(result.report, { trigger: "stopped", outcome: "succeeded", clean: true })
    assert.deepStrictEqual(phases, ["drain"])
  })

  it("does not wait for that of a job that declares none, unless it is told to", async () => {
    const { phases, result } = await stopped(run("idle", 60_000))
    assert.deepInclude(result.report, { trigger: "stopped", outcome: "cancelled", clean: true })
    assert.deepStrictEqual(phases, ["cancel"])
    const told = await stopped(run("idle", 500, { stopPolicy: { drain: "run" } }))
    assert.deepInclude(told.result.report, { outcome: "succeeded", clean: true })
    assert.deepStrictEqual(told.phases, ["drain"])
  })

  it("goes by the settings of the submission and by the configuration, and ends at its limit", async () => {
    const submission = await stopped(run("nap", 60_000, { stopPolicy: { drain: "work" } }))
    assert.deepStrictEqual(submission.phases, ["cancel"])
    const configured = await stopped(run("nap", 60_000, {}, { AUTOSTOP_DRAIN: "work" }))
    assert.deepStrictEqual(configured.phases, ["cancel"])
    const limited = await stopped(run("nap", 60_000, { stopPolicy: { drainTimeout: 100 } }))
    assert.deepStrictEqual(limited.phases, ["drain", "cancel"])
    assert.deepInclude(limited.result.report, { outcome: "cancelled", clean: true })
    assert.isTrue(Exit.hasInterrupts(decoded(limited.result, nap)))
    assert.notInclude(limited.text, "rested")
  })
})
