/**
 * Metrics and spans of jobs that run in this process.
 *
 * @since 0.2.0
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

/**
 * Gives the jobs of a program metrics and spans, for exporters that the program has itself.
 *
 * **When to use**
 *
 * With an exporter of your own, such as `Otlp.layer` of Effect or its Prometheus endpoint. `runMain`, `launch`, `autostop run`
 * and a job manager export by the variables of OpenTelemetry (`OTEL_EXPORTER_OTLP_ENDPOINT`) without it.
 *
 * **Details**
 *
 * Metrics go to Effect's registry of the context that the layer is built in; spans to the `Tracer` of whoever submits a job,
 * within its span. Without this layer, and without the variables, a job measures nothing.
 *
 * @category layers
 * @since 0.2.0
 */
export const layer: Layer.Layer<never> = Layer.effectContext(
  // this is loaded here, because most programs have no use for it
  Effect.flatMap(
    Effect.promise(() => import("./telemetry/runTelemetry.ts")),
    ({ observingRuns }) =>
      Effect.contextWith((context: Context.Context<never>) =>
        Effect.succeed(observingRuns(context, { metrics: true, traces: true }))
      )
  )
)
