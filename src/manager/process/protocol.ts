/** What the process of a job is asked for by its manager, and what a module is asked about. */
import * as Schema from "effect/Schema"
import { Trigger } from "../../StopReport.ts"
import { JobId, StopCommand, Submission } from "../models.ts"

const Start = Schema.TaggedStruct("Start", {
  id: JobId,
  /** The module that exports the job, as a URL. */
  module: Schema.String,
  submission: Submission,
  resultFile: Schema.String
})
export type Start = typeof Start.Type

const Stop = Schema.TaggedStruct("Stop", { command: StopCommand, trigger: Trigger })
export type Stop = typeof Stop.Type

export const Asked = Schema.Union([Start, Stop])
export type Asked = typeof Asked.Type

export const decodeAsked = Schema.decodeUnknownOption(Schema.fromJsonString(Asked))

/** Whether a job of the module can be run as it was submitted. */
export const Question = Schema.Struct({ number: Schema.Int, submission: Submission })
export type Question = typeof Question.Type

/** What is known of the module, once it is being loaded, is, or cannot be, and what came of each question: why not, if not. */
export const Answer = Schema.Union([
  Schema.TaggedStruct("Loading", {}),
  Schema.TaggedStruct("Loaded", { job: Schema.optionalKey(Schema.String), refusal: Schema.optionalKey(Schema.String) }),
  Schema.TaggedStruct("NotLoaded", { message: Schema.String }),
  Schema.TaggedStruct("Checked", { number: Schema.Int, refusal: Schema.optionalKey(Schema.String) })
])
export type Answer = typeof Answer.Type

export const decodeQuestion = Schema.decodeUnknownOption(Schema.fromJsonString(Question))
export const decodeAnswer = Schema.decodeUnknownOption(Schema.fromJsonString(Answer))
