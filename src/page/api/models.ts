/** What the API sends, as types alone: its Schemas would be more than half of the page. */
import type { JobEvent } from "../../JobEvent.ts"
import type { ReportData } from "../../internal/report/reportSchemas.ts"
import type { JobInfo as Info, JobStages, JobState, LogLine, Overview } from "../../manager/models.ts"
import type { StageReport } from "../../StopReport.ts"

export type { JobEvent, JobState, LogLine, Overview, StageReport }
export type { Outcome } from "../../StopReport.ts"
export type { StopMode } from "../../JobEvent.ts"
export type Report = ReportData
/** A job as it stands, as plain data. */
export type JobInfo = { readonly [K in keyof Info]: Info[K] }
export type Counts = Overview["counts"]

/** A message of the one feed that a tab reads. */
export type FeedMessage =
  | Overview
  | { readonly _tag: "Job"; readonly info: JobInfo }
  | JobStages
  | { readonly _tag: "Event"; readonly id: string; readonly seq: number; readonly event: JobEvent }
  | { readonly _tag: "Line"; readonly id: string; readonly line: LogLine }
  | { readonly _tag: "Gone"; readonly id: string }

/** The end of a job. Its exit is encoded as `Exit` of Effect is. */
export interface Result {
  readonly exit: unknown
  readonly report: Report
}
