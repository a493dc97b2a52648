/** A span that has ended, as one process passes it on to another. */
import * as Schema from "effect/Schema"

const traceId = Schema.String.check(Schema.isPattern(/^[0-9a-f]{32}$/))
const spanId = Schema.String.check(Schema.isPattern(/^[0-9a-f]{16}$/))
/** Nanoseconds since 1970. */
const nanoseconds = Schema.String.check(Schema.isPattern(/^\d{1,20}$/))

export const SpanRecord = Schema.Struct({
  traceId,
  spanId,
  parentSpanId: Schema.optionalKey(spanId),
  name: Schema.String,
  kind: Schema.Literals(["internal", "server", "client", "producer", "consumer"]),
  start: nanoseconds,
  end: nanoseconds,
  attributes: Schema.Record(Schema.String, Schema.Union([Schema.String, Schema.Finite, Schema.Boolean])),
  /** The reason why it has failed. */
  error: Schema.optionalKey(Schema.String),
  links: Schema.optionalKey(Schema.Array(Schema.Struct({ traceId, spanId })))
})
export type SpanRecord = typeof SpanRecord.Type

/** The place of a job in a trace. The ids of its spans are known before they are exported. */
export const TraceContext = Schema.Struct({
  traceId,
  /** The span of the attempt. */
  attempt: spanId,
  /** The span of its `run`. */
  run: spanId
})
export type TraceContext = typeof TraceContext.Type
