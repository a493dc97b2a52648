/** The results of jobs that could not make their own. */
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import { StopReport, type Trigger } from "../../StopReport.ts"
import type { JobResult } from "../models.ts"

/** Every job can read that, whatever its own Schemas are. */
const encode = Schema.encodeUnknownSync(
  Schema.toCodecJson(Schema.Exit(Schema.Never, Schema.Never, Schema.Defect()))
)

/** The exit of a job that has none: that of a cancelled one, or a defect that says what happened. */
export const exitOf = (outcome: StopReport["outcome"], message: string): Schema.Json =>
  encode(outcome === "cancelled" ? Exit.interrupt() : Exit.die(new Error(message)))

/** The result of a job that did not begin: nothing was started. */
export const notBegun = (options: {
  readonly id: string
  readonly job: string
  readonly trigger: Trigger
  readonly reason?: string | undefined
  /** Both ISO 8601; now by default. */
  readonly startedAt?: string | undefined
  readonly stoppedAt?: string | undefined
}): JobResult => {
  const now = new Date().toISOString()
  const { id, job, reason, startedAt = now, stoppedAt = now, trigger } = options
  const outcome = trigger === "failed" || trigger === "lost" ? "failed" : "cancelled"
  return {
    exit: exitOf(outcome, reason ?? "it was lost"),
    report: StopReport.trusted({
      jobId: id,
      job,
      environment: "remote",
      trigger,
      ...(reason === undefined ? {} : { reason }),
      outcome,
      clean: true,
      startedAt,
      stoppedAt,
      phases: [],
      stages: [],
      services: [],
      leftovers: []
    })
  }
}
