import * as Context from "effect/Context"
import type { CallCounts } from "./callCounts.ts"
import type { SpanRecord } from "./spanRecord.ts"

/** The telemetry of the calls that a run makes to hosts of its services. */
export interface HostCalls {
  readonly metrics: boolean
  readonly traces: boolean
  /** The counters of services, which are read again and again. */
  readonly meters: Array<CallMeterSource>
  /** Takes the spans that hosts have made. */
  readonly spans: (spans: ReadonlyArray<SpanRecord>) => void
}

export interface CallMeterSource {
  /** Returns what has changed since the last time. */
  readonly take: () => ReadonlyArray<CallCounts>
}

/** Calls to hosts are measured if somebody provides it. */
export const CurrentHostCalls = Context.Reference<HostCalls | undefined>("autostop/telemetry/HostCalls", {
  defaultValue: () => undefined
})

/** Returns what has changed in all counters of a run. */
export const takeCounts = ({ meters }: HostCalls): ReadonlyArray<CallCounts> => meters.flatMap((meter) => meter.take())
