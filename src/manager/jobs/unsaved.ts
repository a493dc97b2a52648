import type { JobInfo, JobResult, NumberedEvent } from "../models.ts"

/** What the store does not have yet of a job: events, and with them a new info, or the end of the job. */
export type Unsaved =
  | { readonly _tag: "Events"; readonly events: ReadonlyArray<NumberedEvent> }
  | { readonly _tag: "Info"; readonly events: ReadonlyArray<NumberedEvent>; readonly info: JobInfo }
  | {
    readonly _tag: "End"
    readonly events: ReadonlyArray<NumberedEvent>
    readonly info: JobInfo
    readonly result: JobResult
  }
