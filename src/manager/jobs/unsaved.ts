import * as Schema from "effect/Schema"
import { JobInfo, JobResult, NumberedEvent } from "../models.ts"

const events = Schema.Array(NumberedEvent)

/** The part of a job that the store does not have yet: events, and with them a new info, or the end of the job. */
export const Unsaved = Schema.Union([
  Schema.TaggedStruct("Events", { events }),
  Schema.TaggedStruct("Info", { events, info: JobInfo }),
  Schema.TaggedStruct("End", { events, info: JobInfo, result: JobResult })
])
export type Unsaved = typeof Unsaved.Type
