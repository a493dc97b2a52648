/** Exports what a manager and its jobs do. It is loaded only if a variable asks for it. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { TracerDisabledWhen } from "effect/http/HttpMiddleware"
import * as Logger from "effect/Logger"
import type * as Metric from "effect/Metric"
import * as Tracer from "effect/Tracer"
import { openTelemetry } from "../telemetry/openTelemetry.ts"
import { readTraceUrl } from "../telemetry/otelSettings.ts"
import { isTraced } from "./http/submitTrace.ts"
import { ManagerTelemetry } from "./managerTelemetry.ts"

/** Returns what the manager is given. Its end waits half a second at most for what is not exported yet. */
export const openManagerTelemetry = Effect.gen(function*() {
  const registry: Metric.MetricRegistry = new Map()
  const { context, push, pushLog } = yield* Effect.acquireRelease(
    openTelemetry({
      name: "autostop",
      registry,
      say: (line) => void Effect.runFork(Effect.logWarning(line))
    }),
    ({ close }) => close(Infinity)
  )
  const { fault, url: traceUrl } = readTraceUrl(process.env)
  if (fault !== undefined) yield* Effect.logWarning(fault)
  const telemetry = { registry, push, pushLog, traceUrl }
  const loggers = Context.make(Logger.CurrentLoggers, Context.get(context, Logger.CurrentLoggers))
  return {
    jobs: Context.add(loggers, ManagerTelemetry, telemetry),
    server: loggers.pipe(
      Context.add(Tracer.Tracer, withoutStrays(Context.get(context, Tracer.Tracer))),
      Context.add(TracerDisabledWhen, (request) => !isTraced(request)),
      Context.add(ManagerTelemetry, telemetry)
    )
  }
})

/** A tracer without the spans that lie in no request, such as those of each statement that the store executes. */
const withoutStrays = (tracer: Tracer.Tracer): Tracer.Tracer =>
  Tracer.make({
    span: (options) =>
      options.parent._tag === "None" && options.kind !== "server"
        ? new Tracer.NativeSpan({ ...options, sampled: false })
        : tracer.span(options)
  })
