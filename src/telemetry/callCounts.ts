/** What is counted of the calls to a service in hosts of its own, as one process passes it on to another. */
import * as Schema from "effect/Schema"

const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
const Seconds = Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0))

/** Calls that have ended since the last time, all in the same way. */
const EndedCalls = Schema.TaggedStruct("Ended", {
  /** The end that has measured them. */
  side: Schema.Literals(["client", "server"]),
  /** The name of the service; empty for that of the host that sends it. */
  service: Schema.String,
  method: Schema.String,
  /** The kind of the failure, if they failed. */
  error: Schema.optionalKey(Schema.String),
  counts: Schema.Array(Count),
  sum: Seconds,
  min: Seconds,
  max: Seconds
})
export type EndedCalls = typeof EndedCalls.Type

/** The calls that the hosts of a service have now. */
const ActiveCalls = Schema.TaggedStruct("Active", {
  service: Schema.String,
  /** The kind of the hosts. */
  host: Schema.String,
  calls: Count
})
export type ActiveCalls = typeof ActiveCalls.Type

export const CallCounts = Schema.Union([EndedCalls, ActiveCalls])
export type CallCounts = typeof CallCounts.Type
