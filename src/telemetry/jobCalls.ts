/** The calls that a job in a process of its own makes to hosts: they are counted here, and its manager has the metrics. */
import * as Context from "effect/Context"
import { type ObservedRun, RunTelemetry, unobserved, whileRuns } from "../internal/run/runTelemetry.ts"
import type { CallCounts } from "./callCounts.ts"
import { CurrentHostCalls, type HostCalls, takeCounts } from "./hostCalls.ts"

/** The interval at which counts are sent while they change. */
const sendMs = 250

export type SendCounts = (counts: ReadonlyArray<CallCounts>) => void

/** Returns the context of a job whose calls are counted, and that has no spans. */
export const countingJob = (send: SendCounts): Context.Context<never> =>
  Context.make(RunTelemetry, (run) => {
    const calls: HostCalls = { metrics: true, traces: false, meters: [], spans: () => {} }
    sendCounts(run, calls, send)
    return { ...unobserved, references: Context.make(CurrentHostCalls, calls) }
  })

/** Sends what is counted of the calls of a run, until it has stopped. */
export const sendCounts = (run: Pick<ObservedRun, "stopped">, calls: HostCalls, send: SendCounts): void =>
  whileRuns(run, sendMs, () => {
    const counts = takeCounts(calls)
    if (counts.length > 0) send(counts)
  })
