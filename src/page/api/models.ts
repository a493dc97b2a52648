/** The messages of the API, as types alone: its Schemas would be more than half of the page. */
import type { JobEvent } from "../../JobEvent.ts"
import type { ReportData } from "../../internal/report/reportSchemas.ts"
import type {
  JobHistory,
  JobInfo as Info,
  JobState,
  LogLine,
  ManagerStatus,
  Overview,
  Update
} from "../../manager/models.ts"
import type { StageReport } from "../../StopReport.ts"

export type { JobEvent, JobHistory, JobState, LogLine, Overview, StageReport }
export type { StopMode } from "../../JobEvent.ts"
export type { Outcome } from "../../StopReport.ts"
export type Report = ReportData
/** A job as it stands, as plain data. */
export type JobInfo = { readonly [K in keyof Info]: Info[K] }
export type Counts = Overview["counts"]

/** The manager itself, without its counts. */
export interface ManagerInfo {
  readonly jobs: ReadonlyArray<string>
  /** A manager of an earlier version has none. */
  readonly status?: ManagerStatus
}

/** A message of the one feed that a tab reads. */
export type FeedMessage = Update

/** The end of a job. Its exit is encoded as `Exit` of Effect is. */
export interface Result {
  readonly exit: unknown
  readonly report: Report
}
