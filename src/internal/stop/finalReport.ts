import * as Cause from "effect/Cause"
import type * as Exit from "effect/Exit"
import type { Outcome, StageReport, Trigger } from "../report/reportSchemas.ts"
import { StopReport } from "../../StopReport.ts"
import type { ServiceReport } from "../report/reportSchemas.ts"
import type { StopRecord } from "./stopSequence.ts"

/** Returns the outcome of a run. `failure` is the failure of the job by something else than its run. */
export const outcomeOf = (
  exit: Exit.Exit<unknown, unknown>,
  failure: Cause.Cause<unknown> | undefined,
  wasInterrupted: boolean
): Outcome => {
  if (exit._tag === "Success") return "succeeded"
  if (failure !== undefined) return "failed"
  return wasInterrupted || Cause.hasInterruptsOnly(exit.cause) ? "cancelled" : "failed"
}

/** The report of a run that has stopped. */
export const finalReport = (
  { leftovers, phases }: StopRecord,
  run: {
    readonly jobId: string
    readonly job: string
    readonly environment: string
    readonly trigger: Trigger
    readonly reason: string | undefined
    readonly outcome: Outcome
    readonly startedAt: string
    readonly stoppedAt: string
    readonly stages: ReadonlyArray<StageReport>
    readonly services: ReadonlyArray<ServiceReport>
  }
): StopReport => {
  const { environment, job, jobId, outcome, reason, services, stages, startedAt, stoppedAt, trigger } = run
  return StopReport.trusted({
    jobId,
    job,
    environment,
    trigger,
    ...(reason === undefined ? {} : { reason }),
    outcome,
    clean: StopReport.isClean({ services, leftovers }),
    startedAt,
    stoppedAt,
    phases,
    stages,
    services,
    leftovers
  })
}
