import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import { readFileSync } from "node:fs"
import { isGroupAlive, until } from "../internal/group.ts"
import { StopReport } from "../StopReport.ts"
import { Ledger } from "../supervisor/ledger.ts"
import type { LiveJob } from "./liveJob.ts"
import { JobResult } from "./models.ts"

/** An exit that no Schema of the job's own is needed for. */
const encodeExit = Schema.encodeUnknownSync(
  Schema.toCodecJson(Schema.Exit(Schema.Void, Schema.Never, Schema.Defect()))
)

/** The result of a job that was stopped before it began. */
export const cancelled = ({ info }: LiveJob, at: string, reason: string | undefined): JobResult => ({
  exit: encodeExit(Exit.interrupt()),
  report: StopReport.trusted({
    jobId: info.id,
    job: info.job,
    environment: "remote",
    trigger: "stopped",
    ...(reason === undefined ? {} : { reason }),
    outcome: "cancelled",
    clean: true,
    startedAt: info.submittedAt,
    stoppedAt: at,
    phases: [],
    stages: [],
    services: [],
    leftovers: []
  })
})

/** How long the process of a job may outlive the manager that has started it, before nobody waits for it any longer. */
const longestMs = 10 * 60_000

/**
 * The result of a job whose manager ended before it: its process stops by its own policy, and leaves its result in a
 * file. Where there is none, it is made from what the job had told.
 */
export const endLost = ({ events, info }: LiveJob, resultFile: string): Effect.Effect<JobResult> =>
  Effect.promise(async () => {
    const { pid } = info
    const gone = pid === undefined || await until(() => !isGroupAlive(pid), longestMs)
    const left = readResult(resultFile)
    if (left !== undefined) return left
    const ledger = new Ledger({ job: info.job, jobId: info.id, environment: "remote" })
    for (const { event } of events) ledger.take(event)
    const how = "ended while there was no job manager, and left no report"
    const report = ledger.report({
      pid: pid ?? 0,
      isLost: true,
      how,
      gone,
      killMs: undefined,
      trigger: "lost",
      reason: "the job manager was lost"
    })
    return {
      exit: encodeExit(Exit.die(new Error(`the process of job ${info.id} ${how}`))),
      report: StopReport.trusted({ ...report, jobId: info.id, job: info.job, environment: "remote" })
    }
  })

const readResult = (file: string): JobResult | undefined => {
  try {
    return Schema.decodeUnknownSync(Schema.fromJsonString(JobResult))(readFileSync(file, "utf8"))
  } catch {
    return undefined
  }
}
