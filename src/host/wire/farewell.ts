/** The last message of a caller to a host, and the answer of the host once it has released its services. */
import type { StopReport } from "../../StopReport.ts"
import { type FrameWriter, readJson, Reply, Request } from "./frames.ts"

/** Asks a host to release its services within so many milliseconds, and to exit. */
export const sendStop = (writer: FrameWriter, limitMs: number): void => writer.writeJson(Request.stop, limitMs)

/** The limit in milliseconds. JSON has no infinity: it writes `null`. */
export const readStop = (body: Uint8Array): number => Number(readJson(body) ?? Infinity)

/** The end of the services of a host. */
export interface HostResult {
  readonly report: StopReport
  /** The reason why a service within the host, or what served it, failed. */
  readonly failure?: string | undefined
}

export const sendResult = (writer: FrameWriter, result: HostResult): void => writer.writeJson(Reply.result, result)

// safe: both ends are of the same version
export const readResult = (body: Uint8Array): HostResult => readJson(body) as HostResult
