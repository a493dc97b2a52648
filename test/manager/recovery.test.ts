import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { join } from "node:path"
import type { JobEvent } from "../../src/JobEvent.ts"
import { JobLog } from "../../src/manager/jobLog.ts"
import { LiveJob } from "../../src/manager/liveJob.ts"
import { endLost } from "../../src/manager/recovery.ts"
import { temporaryFolder } from "../support/folder.ts"
import { at, jobOf } from "../support/store.ts"

/** What a manager makes of a job that has told this to the one before it, and has left no result. */
const ended = (...events: ReadonlyArray<JobEvent>) =>
  Effect.scoped(Effect.flatMap(temporaryFolder, (folder) => {
    const { info, submission } = jobOf("a", { state: "starting" })
    const known = events.map((event, index) => ({ seq: index + 1, event }))
    const job = new LiveJob(info, submission, new JobLog({ folder, bytes: 1_000 }, "a", () => {}), known)
    return Effect.map(endLost(job, join(folder, "a.json")), ({ report }) => report)
  }))

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
      const again = { attempt: 1, delayMs: 0, trigger: "stopped", outcome: "cancelled", clean: true } as const
      const report = yield* ended(...stopped, { _tag: "JobRestarting", at: at(2), ...again })
      assert.include(report, { trigger: "lost", reason: "the job manager was lost", outcome: "failed" })
      assert.deepStrictEqual(report.services, [])
    }))
})
