/** The first message of a caller to a host, and the answer of the host once it has started or could not. */
import { type PolicyMillis, policyMillisFromJson } from "../../internal/policy/policyMillis.ts"
import type { ExpectedService } from "../hostModule.ts"
import { type FrameWriter, isRecord, readJson, Reply, Request } from "./frames.ts"

/** The service of a host, and its limits. */
export interface Init extends ExpectedService {
  /** The limits of the services within the host. */
  readonly limits: PolicyMillis
  /** The telemetry that the caller wants of the calls; none by default. */
  readonly telemetry?: HostTelemetry | undefined
}

/** The telemetry that a caller wants of a host. */
export interface HostTelemetry {
  /** The name of the service in the report. */
  readonly service: string
  readonly metrics: boolean
  readonly traces: boolean
}

export const sendInit = (writer: FrameWriter, init: Init): void => writer.writeJson(Request.init, init)

export const readInit = (body: Uint8Array): Init => {
  const init = readJson(body, isInit)
  return { ...init, limits: policyMillisFromJson(init.limits) }
}

// a caller of another version of this package has another fingerprint, and is refused
const isInit = (value: unknown): value is Init =>
  isRecord(value) && isRecord(value["limits"]) &&
  ["service", "version", "fingerprint", "module"].every((key) => typeof value[key] === "string")

/** The host takes calls from now on. */
export const sendReady = (writer: FrameWriter): void => writer.writeJson(Reply.ready, { pid: process.pid })

/** The host will never take calls. */
export const sendStartFailed = (writer: FrameWriter, reason: string): void =>
  writer.writeJson(Reply.startFailed, reason)

export const readStartFailed = (body: Uint8Array): string =>
  readJson(body, (value): value is string => typeof value === "string")
