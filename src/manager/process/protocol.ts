/** The questions to an inspector about a module, and its answers. */
import * as Schema from "effect/Schema"
import { decodeForeignJson } from "../../base/foreignJson.ts"
import { Submission } from "../models.ts"

export const Question = Schema.Union([
  /** Asks whether a submission can be run with the module. */
  Schema.TaggedStruct("Check", { number: Schema.Int, submission: Submission }),
  /** Asks for the JSON Schema of the payload of the module's job. */
  Schema.TaggedStruct("Describe", { number: Schema.Int })
])
export type Question = typeof Question.Type

export const Answer = Schema.Union([
  /** The inspector begins to load the module. */
  Schema.TaggedStruct("Loading", {}),
  /** The module is loaded. `job` is the name of its only or default job, and `refusal` says why there is none. */
  Schema.TaggedStruct("Loaded", { job: Schema.optionalKey(Schema.String), refusal: Schema.optionalKey(Schema.String) }),
  Schema.TaggedStruct("NotLoaded", { message: Schema.String }),
  /** The answer to a question. `refusal` says why the submission cannot be run, if it cannot. */
  Schema.TaggedStruct("Checked", { number: Schema.Int, refusal: Schema.optionalKey(Schema.String) }),
  /** The answer to a question. There is no `payload` if it cannot be written as a JSON Schema. */
  Schema.TaggedStruct("Described", { number: Schema.Int, payload: Schema.optionalKey(Schema.Json) })
])
export type Answer = typeof Answer.Type

export const decodeQuestion = Schema.decodeUnknownOption(Schema.fromJsonString(Question))
/** Decodes what a process has sent that runs code of others. */
export const decodeAnswer = decodeForeignJson(Answer)
