/** Exports log records of other processes. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as OtlpExporter from "effect/observability/OtlpExporter"
import * as OtlpResource from "effect/observability/OtlpResource"
import { makeSink, type SinkOptions } from "./otlpSink.ts"

/** A line that a job has printed. */
export interface LogRecord {
  /** Milliseconds since 1970. */
  readonly at: number
  readonly text: string
  readonly attributes: Readonly<Record<string, string | number>>
  /** The span that it belongs to, if that is exported. */
  readonly span?: { readonly traceId: string; readonly spanId: string } | undefined
}

export class LogSink extends Context.Service<LogSink, {
  readonly push: (record: LogRecord) => void
}>()("autostop/telemetry/LogSink") {}

export const layerLogSink = (options: SinkOptions) =>
  Layer.effect(
    LogSink,
    Effect.map(
      makeSink(options, (serialization, logRecords: Array<ReturnType<typeof encoded>>, { resource, scope }) =>
        serialization.logs({ resourceLogs: [{ resource, scopeLogs: [{ scope, logRecords }] }] })),
      (push) =>
        LogSink.of({
          push: (record) =>
            push(encoded(record))
        })
    )
  ).pipe(Layer.provideMerge(OtlpExporter.layerFlusher))

const encoded = ({ at, attributes, span, text }: LogRecord) => {
  const time = `${BigInt(Math.max(0, Math.round(at))) * 1_000_000n}`
  return {
    timeUnixNano: time,
    observedTimeUnixNano: time,
    body: { stringValue: text },
    attributes: OtlpResource.entriesToAttributes(Object.entries(attributes)),
    droppedAttributesCount: 0,
    ...span
  }
}
