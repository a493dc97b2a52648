import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { JobEvent } from "../../../src/index.ts"
import { startJobProcess } from "../../../src/manager/process/startJobProcess.ts"
import { folder, urlOf } from "../../support/jobProcess.ts"
import { join } from "node:path"

const mebibyte = 1_024 * 1_024

/** Runs a job that floods its pipe, and returns its result with the events that it got through. */
const flood = async (how: string, events?: number) => {
  const id = crypto.randomUUID()
  const seen: Array<JobEvent> = []
  const { ended } = startJobProcess({
    id,
    submission: { job: "flood", payload: { how } },
    code: { module: urlOf("flood") },
    limits: { events },
    resultFile: join(folder, `${id}.json`),
    onEvent: (event) => void seen.push(event),
    onStages: () => {},
    onOutput: () => {}
  })
  return { ...await Effect.runPromise(ended), seen }
}

describe("a job that floods its pipe", () => {
  it.each([
    ["line", "it sent a message of more than 64 MiB, which is the limit"],
    ["event", "it sent an event of more than 1 MiB, which is the limit"]
  ])("with a long %s is killed, and its report says why", async (how, reason) => {
    const { report } = await flood(how)
    assert.deepInclude(report, { outcome: "failed", trigger: "failed", reason, clean: false })
    assert.include(report.leftovers.map(({ detail }) => detail).join(), reason)
  })

  it("with events that have no end is stopped, then killed, and the events that it got through are few", async () => {
    const { report, seen } = await flood("events", 2 * mebibyte)
    const reason = "it emitted more than 2 MiB of events, which is its limit"
    assert.deepInclude(report, { outcome: "failed", trigger: "failed", reason })
    assert.isAtMost(JSON.stringify(seen).length, 11 * mebibyte)
  })

  it.each(["deepEvent", "deepExit", "noise"])("with what cannot be read (%s) ends as if it had not", async (how) => {
    const { exit, report, seen } = await flood(how)
    assert.deepInclude(report, { outcome: "succeeded", trigger: "completed", clean: true })
    assert.deepStrictEqual(exit, { _tag: "Success", value: "done" })
    assert.notInclude(seen.map(({ _tag }) => _tag), "ServiceFailed")
  })
})
