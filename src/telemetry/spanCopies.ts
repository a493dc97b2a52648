import * as Context from "effect/Context"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"
import type { SpanRecord } from "./spanRecord.ts"

/** Makes a span with a tracer that another process has made. It keeps its id as far as the tracer lets it. */
export const copySpan = (
  tracer: Tracer.Tracer,
  { attributes, end, error, kind, name, parentSpanId, spanId, start, traceId }: SpanRecord
): void => {
  const span = tracer.span({
    name,
    parent: Option.map(
      Option.fromUndefinedOr(parentSpanId),
      (spanId) => Tracer.externalSpan({ traceId, spanId, sampled: true })
    ),
    annotations: Context.empty(),
    links: [],
    startTime: BigInt(start),
    kind,
    root: parentSpanId === undefined,
    sampled: true
  })
  // spans within it, and other programs, know it by that id
  Object.defineProperty(span, "spanId", { value: spanId })
  for (const [name, value] of Object.entries(attributes)) span.attribute(name, value)
  span.end(BigInt(end), error === undefined ? Exit.void : Exit.fail(new SpanFault(error)))
}

/** The failure of a span. It has no stack, because none would say anything of the job. */
export class SpanFault extends Error {
  override readonly name = "JobError"
  override readonly stack = ""
}
