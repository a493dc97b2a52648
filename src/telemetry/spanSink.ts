/** Exports spans that other processes have made, or that are made of events. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as OtlpExporter from "effect/observability/OtlpExporter"
import * as OtlpResource from "effect/observability/OtlpResource"
import { makeSink, type SinkOptions } from "./otlpSink.ts"
import type { SpanRecord } from "./spanRecord.ts"

export class SpanSink extends Context.Service<SpanSink, {
  readonly push: (span: SpanRecord) => void
}>()("autostop/telemetry/SpanSink") {}

export const layerSpanSink = (options: SinkOptions) =>
  Layer.effect(
    SpanSink,
    Effect.map(
      makeSink(options, (serialization, spans: Array<OtlpSpan>, { resource, scope }) =>
        serialization.traces({ resourceSpans: [{ resource, scopeSpans: [{ scope, spans }] }] })),
      (push) =>
        SpanSink.of({
          push: (span) =>
            push(encoded(span))
        })
    )
  ).pipe(Layer.provideMerge(OtlpExporter.layerFlusher))

type OtlpSpan = ReturnType<typeof encoded>

const kinds = { internal: 1, server: 2, client: 3, producer: 4, consumer: 5 } as const

const encoded = (
  { attributes, end, error, kind, links = [], name, parentSpanId, spanId, start, traceId }: SpanRecord
) => ({
  traceId,
  spanId,
  parentSpanId,
  name,
  kind: kinds[kind],
  startTimeUnixNano: start,
  endTimeUnixNano: end,
  attributes: OtlpResource.entriesToAttributes(Object.entries(attributes)),
  droppedAttributesCount: 0,
  events: [],
  droppedEventsCount: 0,
  status: error === undefined ? { code: 1 as const } : { code: 2 as const, message: error },
  links: links.map((link) => ({ ...link, attributes: [], droppedAttributesCount: 0 })),
  droppedLinksCount: 0
})
