/** What the supervisor of an isolated job asks for. */
import * as Schema from "effect/Schema"
import { signals } from "../process/signals.ts"

/** A signal came, the how manieth. */
export const Asked = Schema.TaggedStruct("Signal", {
  signal: Schema.Literals(signals),
  count: Schema.Int
})
export type Asked = typeof Asked.Type

export const decodeAsked = Schema.decodeUnknownOption(Schema.fromJsonString(Asked))
