/** The typed client of a manager's API, and what to make of its failures. */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpApiClient from "effect/http-api/HttpApiClient"
import { hasProperty } from "effect/Predicate"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { Api } from "../Api.ts"
import type { Bundled } from "../code/bundler.ts"
import type { Submission } from "../models.ts"

export type Client = HttpApiClient.ForApi<typeof Api>

export interface ClientOptions {
  /** Where the manager is: `http://127.0.0.1:19001`, with a path where it stands behind one. */
  readonly url: string
  readonly token?: string | Redacted.Redacted | undefined
}

/**
 * A client with connections of its own, closed with its Scope. They have no time limits of their own: a stream may be
 * quiet for as long as its heartbeats come, and those are what tells that it is lost.
 */
export const makeClient = ({ token, url }: ClientOptions): Effect.Effect<Client, never, Scope.Scope> =>
  Effect.gen(function*() {
    const dispatcher = yield* NodeHttpClient.makeDispatcherOptions({ connect: { timeout: 5_000 } })
    const http = yield* Effect.provideService(NodeHttpClient.makeUndici, NodeHttpClient.Dispatcher, dispatcher)
    return yield* HttpApiClient.makeWith(Api, {
      baseUrl: url,
      httpClient: token === undefined ? http : HttpClient.mapRequest(http, HttpClientRequest.bearerToken(token))
    })
  })

/** What an answer may take to come, other than a stream. */
export const answerMs = 30_000

/** How long the upload of what a job brings along may take. */
const uploadMs = 120_000

/** Submits a job; what it brings along is uploaded where the manager does not have it. */
export const submitBundled = (client: Client, submission: Submission, bundled: Bundled | undefined) => {
  const submit = Effect.timeout(client.jobs.submit({ payload: submission }), answerMs)
  if (bundled === undefined) return submit
  const { content, hash } = bundled
  const upload = client.bundles.upload({ params: { hash }, payload: Stream.make(content) })
  return Effect.catchTag(submit, "NotFound", () => Effect.andThen(Effect.timeout(upload, uploadMs), submit))
}

/** Whether a call that failed may succeed when it is made again: the manager was not reached, or cannot answer now. */
export const isPassing = (error: unknown): boolean => {
  if (HttpClientError.isHttpClientError(error)) {
    const { reason, response } = error
    if (reason._tag === "InvalidUrlError" || reason._tag === "EncodeError") return false
    // where the answer itself was right, it was cut off
    return response === undefined || response.status < 300 || response.status >= 500 || response.status === 408 ||
      response.status === 429
  }
  return hasProperty(error, "_tag") && typeof error._tag === "string" && passing.has(error._tag)
}

/** The manager cannot answer now; a stream was cut in the middle of an event, or told to come again; no answer came. */
const passing = new Set(["StoreError", "Unavailable", "SseError", "Retry", "TimeoutError"])

/** The wait before the next try, the how manieth: longer each time up to 5 s, and not the same for all clients. */
export const backoff = (failures: number): Effect.Effect<void> =>
  Effect.flatMap(Random.next, (random) => Effect.sleep(Math.min(5_000, 100 * 2 ** failures) * (0.5 + random / 2)))

/** Makes a call until it is answered, however long the manager cannot be reached. */
export const persist = <A, E>(call: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  Effect.gen(function*() {
    for (let failures = 0;; failures++) {
      const result = yield* Effect.result(Effect.timeout(call, answerMs))
      if (result._tag === "Success") return result.success
      // safe: of the errors that do not pass none is a timeout
      if (!isPassing(result.failure)) return yield* Effect.fail(result.failure as E)
      yield* backoff(failures)
    }
  })

/** What a failure tells people. */
export const tell = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  return HttpClientError.isHttpClientError(error) && error.cause instanceof Error
    ? `${error.message}: ${error.cause.message || error.cause.name}`
    : error.message
}

/** What stood in the way of an answer: nobody is there, the connection was lost, or it is not a manager that answers. */
export const obstacle = (error: unknown): "unreachable" | "lost" | "stranger" | undefined => {
  if (!HttpClientError.isHttpClientError(error)) return Schema.isSchemaError(error) ? "stranger" : undefined
  if (error.reason._tag !== "TransportError") return "stranger"
  const { cause } = error.reason
  return hasProperty(cause, "code") && typeof cause.code === "string" && nobody.has(cause.code) ? "unreachable" : "lost"
}

const nobody = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT"
])
