/** The results of jobs that could not write their own. */
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import { StopReport, type Trigger } from "../StopReport.ts"
import type { JobResult } from "./models.ts"

/**
 * Returns the exit of a cancelled job, or for another outcome a defect with this message. The Schemas of every job can decode
 * it, because it has no values and no typed errors.
 */
export const fallbackExit = (outcome: StopReport["outcome"], message: string): Schema.Json =>
  (encode ??= makeEncode())(outcome === "cancelled" ? Exit.interrupt() : Exit.die(new Error(message)))

/** A codec takes its time to make: few processes need it. */
const makeEncode = () =>
  Schema.encodeUnknownSync(Schema.toCodecJson(Schema.Exit(Schema.Never, Schema.Never, Schema.Defect())))
let encode: ReturnType<typeof makeEncode> | undefined

/** Returns the result of a job of which nothing was started. */
export const notStarted = ({ at, id, job, reason, submittedAt = at, trigger }: {
  readonly id: string
  readonly job: string
  readonly trigger: Trigger
  readonly reason?: string | undefined
  /** The time of its end, in ISO 8601. */
  readonly at: string
  /** The time of its submit, in ISO 8601; `at` by default. */
  readonly submittedAt?: string | undefined
}): JobResult => {
  const outcome = trigger === "failed" || trigger === "lost" ? "failed" : "cancelled"
  return {
    exit: fallbackExit(outcome, reason ?? "the job was lost before it started"),
    report: StopReport.trusted({
      jobId: id,
      job,
      environment: "remote",
      trigger,
      ...(reason === undefined ? {} : { reason }),
      outcome,
      clean: true,
      startedAt: submittedAt,
      stoppedAt: at,
      phases: [],
      stages: [],
      services: [],
      leftovers: []
    })
  }
}
