import type { JobInfo, JobResult, NumberedEvent } from "../models.ts"

/** The part of a job that the store does not have yet: events, and with them a new info, or the end of the job. */
export type Unsaved =
  | { readonly _tag: "Events"; readonly events: ReadonlyArray<NumberedEvent> }
  | { readonly _tag: "Info"; readonly events: ReadonlyArray<NumberedEvent>; readonly info: JobInfo }
  | {
    readonly _tag: "End"
    readonly events: ReadonlyArray<NumberedEvent>
    readonly info: JobInfo
    readonly result: JobResult
  }
