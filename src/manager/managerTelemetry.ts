/** The export of a manager: the registry of its metrics, and the spans of its jobs. */
import * as Context from "effect/Context"
import type * as Metric from "effect/Metric"
import type { LogRecord } from "../telemetry/logSink.ts"
import type { SpanRecord } from "../telemetry/spanRecord.ts"

export interface ManagerTelemetryShape {
  /** The registry that is exported; a new one by default. */
  readonly registry: Metric.MetricRegistry
  /** Exports a span; `undefined` if traces are off. */
  readonly push: ((span: SpanRecord) => void) | undefined
  /** Exports a line that a job has printed; `undefined` if logs are off. */
  readonly pushLog: ((record: LogRecord) => void) | undefined
  /** The address at which people look at a trace, with `{traceId}` in it. */
  readonly traceUrl?: string | undefined
}

export const ManagerTelemetry = Context.Reference<ManagerTelemetryShape | undefined>("autostop/manager/Telemetry", {
  defaultValue: () => undefined
})
