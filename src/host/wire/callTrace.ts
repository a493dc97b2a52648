/** The place of a call in a trace, before its payload: the id of the trace (16 bytes), that of the span (8), the flags (1). */
import { BrokenFrame } from "./frames.ts"

/** The span of a call at its caller. Only a sampled one travels. */
export interface CallTrace {
  readonly traceId: string
  readonly spanId: string
}

const traceBytes = 16
const spanBytes = 8
const sampled = 1
const length = traceBytes + spanBytes + 1

export const withTrace = ({ spanId, traceId }: CallTrace, payload: Uint8Array): Uint8Array => {
  const body = Buffer.alloc(length + payload.length)
  body.write(traceId.padStart(2 * traceBytes, "0"), 0, traceBytes, "hex")
  body.write(spanId, traceBytes, spanBytes, "hex")
  body[length - 1] = sampled
  body.set(payload, length)
  return body
}

/** Throws a `BrokenFrame` if the body is too short. The trace is `undefined` if it is not sampled. */
export const readTrace = (
  body: Uint8Array
): { readonly trace: CallTrace | undefined; readonly payload: Uint8Array } => {
  if (body.length < length) throw new BrokenFrame("it sent a call without the place in a trace that belongs there")
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.length)
  const isSampled = ((bytes[length - 1] ?? 0) & sampled) === sampled
  return {
    trace: isSampled
      ? {
        traceId: bytes.toString("hex", 0, traceBytes),
        spanId: bytes.toString("hex", traceBytes, traceBytes + spanBytes)
      }
      : undefined,
    payload: body.subarray(length)
  }
}
