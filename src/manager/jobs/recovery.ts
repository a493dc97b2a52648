import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { readFileSync } from "node:fs"
import { isGroupAlive, until } from "../../process/processGroup.ts"
import { deathReport } from "../../jobProcess/deathReport.ts"
import type { LiveJob } from "./liveJob.ts"
import { JobResult } from "../models.ts"
import { exitOf } from "./unreported.ts"

/** How long the process of a job may outlive the manager that has started it, before nobody waits for it any longer. */
const longestMs = 10 * 60_000

/**
 * The result of a job whose manager ended before it: its process stops by its own policy, and leaves its result in a
 * file. Where there is none, it is made from what the job had told.
 */
export const endLost = (job: LiveJob, resultFile: string): Effect.Effect<JobResult> =>
  Effect.promise(async () => {
    const { id, pid } = job.info
    const projection = job.recalled ?? job.projection()
    job.recalled = undefined
    const gone = pid === undefined || await until(() => !isGroupAlive(pid), longestMs)
    const left = readResult(resultFile)
    if (left !== undefined) return left
    const how = "ended while there was no job manager, and left no report"
    const report = deathReport(projection, {
      pid: pid ?? 0,
      at: new Date().toISOString(),
      isLost: true,
      how,
      gone,
      killMs: undefined,
      trigger: "lost",
      reason: "the job manager was lost"
    })
    return { exit: exitOf("failed", `the process of job ${id} ${how}`), report }
  })

const readResult = (file: string): JobResult | undefined => {
  try {
    return Schema.decodeUnknownSync(Schema.fromJsonString(JobResult))(readFileSync(file, "utf8"))
  } catch {
    return undefined
  }
}
