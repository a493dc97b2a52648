/** What the process of a job tells its supervisor. */
import * as Schema from "effect/Schema"
import { JobEvent } from "../JobEvent.ts"
import { StageReport, StopReport } from "../StopReport.ts"

/** The deadline that the job has in the end; JSON has no infinity: there it is `null`. */
const Limits = Schema.TaggedStruct("Limits", { deadlineMs: Schema.NullOr(Schema.Number) })

/** Its counters, as they are now. */
const Stages = Schema.TaggedStruct("Stages", { stages: Schema.Array(StageReport) })

/** The job has stopped. Its exit comes along where the supervisor passes it on, as the job's own Schemas encode it. */
const Reported = Schema.TaggedStruct("Reported", { report: StopReport, exit: Schema.optionalKey(Schema.Json) })
export type Reported = typeof Reported.Type

/** Its process begins to load the module, or, once the job has stopped, still writes what it has to say. */
const Alive = Schema.TaggedStruct("Alive", {})

export const Told = Schema.Union([JobEvent, Limits, Stages, Reported, Alive])
export type Told = typeof Told.Type

export const decodeTold = Schema.decodeUnknownOption(Schema.fromJsonString(Told))
