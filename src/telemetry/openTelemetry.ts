/** Exports metrics, traces and logs of this process to a collector. It is loaded only if a variable asks for it. */
import * as Clock from "effect/Clock"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { HttpClient } from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as OtlpExporter from "effect/observability/OtlpExporter"
import * as OtlpLogger from "effect/observability/OtlpLogger"
import * as OtlpMetrics from "effect/observability/OtlpMetrics"
import * as OtlpSerialization from "effect/observability/OtlpSerialization"
import * as OtlpTracer from "effect/observability/OtlpTracer"
import * as Scope from "effect/Scope"
import { waitFor } from "../base/waits.ts"
import { version } from "../process/packageVersion.ts"
import type { LostTelemetry } from "../StopReport.ts"
import { CollectorLink } from "./collectorLink.ts"
import { CountedBodies } from "./countedBodies.ts"
import { layerLogSink, LogSink } from "./logSink.ts"
import { type OtelSettings, readOtelSettings, type SignalName } from "./otelSettings.ts"
import { registerProcessMetrics } from "./processMetrics.ts"
import { layerSpanSink, SpanSink } from "./spanSink.ts"
import { observingRuns } from "./runTelemetry.ts"
import { unrefClock } from "./unrefClock.ts"

export interface OpenTelemetryOptions {
  /** The name of the service if no variable has one. */
  readonly name: string
  /** Prints a line for people. */
  readonly say: (line: string) => void
  /** The registry of the metrics that are exported; that of the context by default. */
  readonly registry?: Metric.MetricRegistry | undefined
}

export interface Telemetry {
  /** The context in which a program is observed. */
  readonly context: Context.Context<never>
  /** Exports a span that somebody else has made; `undefined` if traces are off. */
  readonly push: SpanSink["Service"]["push"] | undefined
  /** Exports a line that a job has printed; `undefined` if logs are off. */
  readonly pushLog: LogSink["Service"]["push"] | undefined
  /** Exports the rest within a limit. Returns what was lost, and says it. */
  readonly close: (leftMs: number) => Effect.Effect<ReadonlyArray<LostTelemetry>>
}

export const openTelemetry = (options: OpenTelemetryOptions): Effect.Effect<Telemetry> =>
  Effect.gen(function*() {
    const { name, registry, say } = options
    const settings = readOtelSettings(process.env, name)
    for (const fault of settings.faults) say(`telemetry: ${fault}.`)
    const { signals } = settings
    const bodies = new CountedBodies()
    const link = new CollectorLink(signals, bodies, say)
    const scope = yield* Scope.make()
    const given = yield* Effect.context<never>()
    const measured = registry === undefined ? given : Context.add(given, Metric.MetricRegistry, registry)
    const built = yield* Layer.buildWithScope(exporters(settings), scope).pipe(
      Effect.provideService(HttpClient, link.client),
      Effect.provide(serialization(settings.protocol, bodies)),
      // the resource is read here, and not by those who die of a wrong one
      Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromUnknown({})),
      Effect.provideService(Clock.Clock, unrefClock),
      Effect.updateContext((context: Context.Context<never>) => Context.merge(measured, context))
    )
    const endProcess = signals.metrics === undefined ? () => {} : registerProcessMetrics(measured)
    const on = { metrics: signals.metrics !== undefined, traces: signals.traces !== undefined }
    const push = Option.getOrUndefined(Context.getOption(built, SpanSink))?.push
    return {
      push,
      pushLog: Option.getOrUndefined(Context.getOption(built, LogSink))?.push,
      context: Context.merge(
        Context.omit(OtlpExporter.Flusher, SpanSink, LogSink)(built),
        observingRuns(measured, on, push)
      ),
      close: (leftMs) =>
        Effect.gen(function*() {
          const limitMs = Math.max(0, Math.min(settings.closeMs, leftMs))
          link.beginClose()
          const closing = yield* Effect.forkDetach(Scope.close(scope, Exit.void), { startImmediately: true })
          yield* waitFor(closing, limitMs)
          endProcess()
          return link.close(limitMs)
        })
    }
  })

const serialization = (protocol: OtelSettings["protocol"], bodies: CountedBodies) =>
  Layer.effect(
    OtlpSerialization.OtlpSerialization,
    Effect.map(OtlpSerialization.OtlpSerialization, (one) => bodies.of(one))
  ).pipe(Layer.provide(protocol === "http/json" ? OtlpSerialization.layerJson : OtlpSerialization.layerProtobuf))

const exporters = ({ attributes, closeMs, everyMs, serviceName, signals }: OtelSettings) => {
  const resource = { serviceName, attributes: { "autostop.version": version, ...attributes } }
  const common = (signal: SignalName) => {
    const settings = signals[signal]
    return settings === undefined ? undefined : {
      url: settings.url.href,
      headers: settings.headers,
      compression: settings.compression,
      resource,
      exportInterval: everyMs[signal],
      // the wait below ends before, and knows what is lost
      shutdownTimeout: 2 * closeMs
    }
  }
  const [traces, metrics, logs] = [common("traces"), common("metrics"), common("logs")]
  return Layer.mergeAll(
    traces === undefined ? OtlpExporter.layerFlusher : Layer.merge(OtlpTracer.layer(traces), layerSpanSink(traces)),
    metrics === undefined ? OtlpExporter.layerFlusher : OtlpMetrics.layer(metrics),
    logs === undefined ? OtlpExporter.layerFlusher : Layer.merge(OtlpLogger.layer(logs), layerLogSink(logs))
  )
}
