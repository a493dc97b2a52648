import * as Effect from "effect/Effect"
import * as Tracer from "effect/Tracer"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import { readTraceparent, writeTraceparent } from "../../telemetry/traceparent.ts"
import { ManagerTelemetry } from "../managerTelemetry.ts"

/**
 * Returns the span of a submit as W3C writes it: that of the request if this manager exports it, else that of its client;
 * `undefined` if there is none.
 */
export const submitTrace = (request: HttpServerRequest): Effect.Effect<string | undefined> =>
  Effect.withFiber((fiber) => {
    const span = fiber.getRef(ManagerTelemetry)?.push === undefined
      ? undefined
      : fiber.context.mapUnsafe.get(Tracer.ParentSpan.key) as Tracer.AnySpan | undefined
    const { traceparent } = request.headers
    return Effect.succeed(
      span === undefined
        ? readTraceparent(traceparent) && traceparent
        : writeTraceparent({ traceId: span.traceId, spanId: span.spanId, isSampled: span.sampled })
    )
  })

/** Every other request has no span: readers wait for hours, and probes come every second. */
export const isTraced = ({ method, url }: { readonly method: string; readonly url: string }): boolean =>
  method === "POST" && /\/jobs(\/[^/]+\/retry)?(\?|$)/.test(url)
