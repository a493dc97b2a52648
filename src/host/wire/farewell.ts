/** The last message of a caller to a host, and the answer of the host once it has released its services. */
import type { StopReport } from "../../StopReport.ts"
import { type FrameWriter, isRecord, readJson, Reply, Request } from "./frames.ts"

/** Asks a host to release its services within so many milliseconds, and to exit. */
export const sendStop = (writer: FrameWriter, limitMs: number): void => writer.writeJson(Request.stop, limitMs)

/** The limit in milliseconds. JSON has no infinity: it writes `null`. */
export const readStop = (body: Uint8Array): number => readJson(body, isLimit) ?? Infinity

const isLimit = (value: unknown): value is number | null => value === null || typeof value === "number"

/** The end of the services of a host. */
export interface HostResult {
  readonly report: StopReport
  /** The reason why a service within the host, or what served it, failed. */
  readonly failure?: string | undefined
}

export const sendResult = (writer: FrameWriter, result: HostResult): void => writer.writeJson(Reply.result, result)

export const readResult = (body: Uint8Array): HostResult => readJson(body, isResult)

/** The fields that its caller looks into. The others go into a report, as those of a job do that has no hosts. */
const isResult = (value: unknown): value is HostResult => {
  if (!isRecord(value) || !isRecord(value["report"])) return false
  const { failure, report: { leftovers, services } } = value
  return (failure === undefined || typeof failure === "string") && isNamed(services, "name") &&
    isNamed(leftovers, "kind")
}

const isNamed = (list: unknown, key: string): boolean =>
  Array.isArray(list) && list.every((element) => isRecord(element) && typeof element[key] === "string")
