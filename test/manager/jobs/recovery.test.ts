import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { join } from "node:path"
import type { JobEvent } from "../../../src/JobEvent.ts"
import { JobLog } from "../../../src/manager/jobs/jobLog.ts"
import { LiveJob } from "../../../src/manager/jobs/liveJob.ts"
import { endLost } from "../../../src/manager/jobs/recovery.ts"
import { temporaryFolder } from "../../support/folder.ts"
import { at, jobOf } from "../../support/store.ts"

/** A job that has told this to the manager before this one. */
const recalled = (folder: string, events: ReadonlyArray<JobEvent>) => {
  const { info, submission } = jobOf("a", { state: "starting" })
  const job = new LiveJob(info, submission, new JobLog({ folder, bytes: 1_000 }, "a", () => {}))
  events.forEach((event, index) => job.recall({ seq: index + 1, event }))
  return job
}

/** What a manager makes of a job that has told this to the one before it, and has left no result. */
const ended = (...events: ReadonlyArray<JobEvent>) =>
  Effect.scoped(Effect.flatMap(temporaryFolder, (folder) => {
    const job = recalled(folder, events)
    return Effect.map(endLost(job, join(folder, "a.json")), ({ report }) => report)
  }))

const again = { _tag: "JobRestarting", attempt: 1, delayMs: 0, outcome: "cancelled", clean: true } as const

describe("a job that was lost with its manager", () => {
  const stopped: ReadonlyArray<JobEvent> = [
    { _tag: "ServiceStarting", at: at(0), service: "S" },
    { _tag: "StopRequested", at: at(1), trigger: "stopped", mode: "drain", reason: "enough" }
  ]

  it.live("has what it had told", () =>
    Effect.gen(function*() {
      const report = yield* ended(...stopped)
      assert.include(report, { trigger: "stopped", reason: "enough" })
      assert.deepStrictEqual(report.services.map(({ name }) => name), ["S"])
    }))

  it.live("has nothing of the attempts before the last one", () =>
    Effect.gen(function*() {
      const report = yield* ended(...stopped, { ...again, at: at(2), trigger: "stopped" })
      assert.include(report, { trigger: "lost", reason: "the job manager was lost", outcome: "failed" })
      assert.deepStrictEqual(report.services, [])
    }))

  it.live("has failed as often as it had, and not where that manager was stopped", () =>
    Effect.scoped(Effect.map(temporaryFolder, (folder) => {
      const job = recalled(folder, [
        { ...again, at: at(0), trigger: "failed" },
        { ...again, at: at(1), trigger: "stopped" },
        { ...again, at: at(2), trigger: "lost" }
      ])
      assert.deepStrictEqual(job.failures, [Date.parse(at(0)), Date.parse(at(2))])
    })))
})
