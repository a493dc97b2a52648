/** What an inspector is asked about a module, and what it answers. */
import * as Schema from "effect/Schema"
import { Submission } from "../models.ts"

/** Where the process writes its result until all of it is there. */
export const partOf = (resultFile: string): string => `${resultFile}.tmp`

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
