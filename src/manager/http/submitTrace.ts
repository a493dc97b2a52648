import * as Effect from "effect/Effect"
import * as Tracer from "effect/Tracer"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
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
    const given = request.headers.traceparent
    return Effect.succeed(
      span === undefined
        ? given !== undefined && form.test(given) ? given : undefined
        : `00-${span.traceId.padStart(32, "0")}-${span.spanId}-${span.sampled ? "01" : "00"}`
    )
  })

const form = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/

/** Every other request has no span: readers wait for hours, and probes come every second. */
export const isTraced = ({ method, url }: { readonly method: string; readonly url: string }): boolean =>
  method === "POST" && /\/jobs(\/[^/]+\/retry)?(\?|$)/.test(url)
