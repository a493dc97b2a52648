/** Adds to every answer: headers to a feed, and to a refusal a body that says why. */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as HttpEffect from "effect/http/HttpEffect"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerRespondable from "effect/http/HttpServerRespondable"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { hasProperty } from "effect/Predicate"
import { causeStack } from "../../base/errorText.ts"
import { cutText } from "../../base/valueText.ts"
import type { ServerLimits } from "./serverLimits.ts"

/**
 * Completes the answers of a server. An error that has no text of its own gets one, whatever made it: no such path, a
 * body that is too large, a fault of the manager itself.
 */
export const completeAnswers =
  (limits: ServerLimits) => <E, R>(app: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>) =>
    Effect.andThen(
      HttpEffect.appendPreResponseHandler((request, response) => complete(request, response, limits)),
      Effect.tapCause(app, (cause) =>
        isFault(cause)
          ? Effect.logError(`the job manager failed at a request, and answered 500: ${causeStack(cause)}`)
          : Effect.void)
    )

const complete = (
  request: HttpServerRequest,
  response: HttpServerResponse.HttpServerResponse,
  limits: ServerLimits
): Effect.Effect<HttpServerResponse.HttpServerResponse> => {
  const { body, status } = response
  const contentType = hasProperty(body, "contentType") ? String(body.contentType) : ""
  // a proxy that buffers would keep the events, and one that stores them would send old ones
  if (contentType.startsWith("text/event-stream")) {
    return Effect.succeed(
      HttpServerResponse.setHeaders(response, { "cache-control": "no-cache", "x-accel-buffering": "no" })
    )
  }
  // the next answer to the same request says what is true then, unless this one says how long it holds
  const fresh = HttpServerResponse.setHeaders(response, {
    "cache-control": response.headers["cache-control"] ?? "no-store",
    ...(status === 429 ? { "retry-after": "1" } : {})
  })
  if (status < 400 || status === 499 || contentType.startsWith("application/json")) return Effect.succeed(fresh)
  const { "content-length": _, "content-type": __, ...headers } = fresh.headers
  return Effect.succeed(HttpServerResponse.jsonUnsafe(refusal(status, request, limits), { status, headers }))
}

const refusal = (status: number, { headers, method, url: path }: HttpServerRequest, limits: ServerLimits) => {
  const url = cutText(path, 256)
  switch (status) {
    case 404:
      return { _tag: "NoEndpoint", message: `there is no ${method} ${url}: /docs shows what there is` }
    case 413:
      return {
        _tag: "TooLarge",
        message:
          `the body is larger than ${limits.bodyBytes} bytes: send less, or start the manager with a larger --max-body`
      }
    case 415: {
      const given = headers["content-type"]
      return { _tag: "Refused", message: `the body is ${given}: send application/json` }
    }
    case 500:
      return { _tag: "Failed", message: "the job manager failed at this request: what it has logged says why" }
    default:
      return { _tag: "Refused", message: `the request ${method} ${url} cannot be read, or its body was cut off` }
  }
}

/** Returns true for a fault of the manager itself. */
const isFault = (cause: Cause.Cause<unknown>): boolean =>
  cause.reasons.some((reason) =>
    reason._tag === "Die" && !HttpServerRespondable.isRespondable(reason.defect) &&
    !HttpServerResponse.isHttpServerResponse(reason.defect)
  )
