/** The place of a request in a trace, as W3C Trace Context writes it in the header `traceparent`. */

export interface TraceParent {
  readonly traceId: string
  readonly spanId: string
  readonly isSampled: boolean
}

const form = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$/

/** Returns the place, or `undefined` if the text is none of version 00. */
export const readTraceparent = (text = ""): TraceParent | undefined => {
  const [, traceId, spanId, flags] = form.exec(text) ?? []
  return traceId === undefined || spanId === undefined || flags === undefined
    ? undefined
    : { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & 1) === 1 }
}

export const writeTraceparent = ({ isSampled, spanId, traceId }: TraceParent): string =>
  `00-${traceId.padStart(32, "0")}-${spanId}-${isSampled ? "01" : "00"}`
