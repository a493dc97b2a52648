import { assert } from "@effect/vitest"
import { run } from "../../support/jobProcess.ts"
import { assertClean } from "../../../src/testing.ts"

/** Runs jobs at once: each must have its own result. */
export const runAtOnce = async (count: number): Promise<void> => {
  const jobs = Array.from({ length: count }, (_, at) => run({ act: "add", text: `${at}` }))
  const results = await Promise.all(jobs.map((job) => job.ended()))
  for (const [at, result] of results.entries()) {
    assertClean(result.report)
    assert.deepInclude(result.exit, { _tag: "Success", value: { at: new Date(1).toISOString(), text: `${at}` } })
  }
}
