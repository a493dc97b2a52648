/** The telemetry of a job in a process of its own: it goes to its manager, because the process has no address to export to. */
import * as Context from "effect/Context"
import * as Tracer from "effect/Tracer"
import { RunTelemetry, whileRuns } from "../internal/run/runTelemetry.ts"
import { CurrentHostCalls, type HostCalls } from "./hostCalls.ts"
import { type SendCounts, sendCounts } from "./jobCalls.ts"
import type { SpanRecord, TraceContext } from "./spanRecord.ts"
import { WaitingSpans } from "./waitingSpans.ts"

/** The interval at which spans are sent, and the most that are sent at once: those beyond it are lost. */
const [sendMs, most] = [250, 64]

/** Returns the context of a job whose spans are sent, and the counts of its calls to hosts as well. */
export const tracingJob = (
  { attempt, run, traceId }: TraceContext,
  send: { readonly counts: SendCounts; readonly spans: (spans: ReadonlyArray<SpanRecord>) => void }
): Context.Context<never> => {
  const waiting = new WaitingSpans(most)
  const spanOf = (spanId: string) => Tracer.externalSpan({ traceId, spanId, sampled: true })
  return Context.make(RunTelemetry, (observed) => {
    const calls: HostCalls = { metrics: true, traces: true, meters: [], spans: (spans) => waiting.add(spans) }
    sendCounts(observed, calls, send.counts)
    whileRuns(observed, sendMs, () => {
      const spans = waiting.take()
      if (spans.length > 0) send.spans(spans)
    })
    return { job: () => spanOf(attempt), run: () => spanOf(run), references: Context.make(CurrentHostCalls, calls) }
  }).pipe(Context.add(Tracer.Tracer, waiting.tracer))
}
