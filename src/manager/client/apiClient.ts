/** The typed client of a manager's API, and how its failures are retried and described. */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpApiClient from "effect/http-api/HttpApiClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import { hasProperty } from "effect/Predicate"
import * as Random from "effect/Random"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Tracer from "effect/Tracer"
import { messageOf } from "../../base/errorText.ts"
import { oneLine } from "../../base/format.ts"
import { Api } from "../Api.ts"
import type { Bundled } from "../code/bundler.ts"
import { Refused } from "../errors.ts"
import { Submission } from "../models.ts"
import { tokenText } from "../token.ts"
import { Unproven, withFoundToken } from "./localProof.ts"

export type Client = HttpApiClient.ForApi<typeof Api>

export interface ClientOptions {
  /** The URL of the manager, such as `http://127.0.0.1:19001`, with a path if a proxy serves it under one. */
  readonly url: string
  /** The token of the manager. One that this user's manager on this machine has made is found without it. */
  readonly token?: string | Redacted.Redacted | undefined
}

/**
 * Makes a client with connections of its own, which are closed with its Scope. They have no time limits, because a stream
 * may emit nothing but heartbeats for any time; a stream without heartbeats is lost.
 */
export const makeClient = ({ token, url }: ClientOptions): Effect.Effect<Client, never, Scope.Scope> =>
  Effect.gen(function*() {
    const dispatcher = yield* NodeHttpClient.makeDispatcherOptions({ connect: { timeout: 5_000 } })
    const undici = yield* Effect.provideService(NodeHttpClient.makeUndici, NodeHttpClient.Dispatcher, dispatcher)
    const http = HttpClient.transform(undici, (effect) => onlyTraced(effect))
    return yield* HttpApiClient.makeWith(Api, {
      baseUrl: url,
      httpClient: token === undefined
        ? withFoundToken(http, url)
        : HttpClient.mapRequest(http, HttpClientRequest.bearerToken(tokenText(token)))
    })
  })

/** Sends no context of a trace that nobody exports: the spans of the manager would lie in one that is missing. */
const onlyTraced = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.withFiber((fiber) =>
    fiber.getRef(Tracer.Tracer) === unexported
      ? Effect.provideService(effect, HttpClient.TracerDisabledWhen, () => true)
      : effect
  )

/** The tracer of who has chosen none. */
const unexported = Context.get(Context.empty(), Tracer.Tracer)

/** The limit for an answer, unless it is a stream. */
export const answerMs = 30_000

/** The limit for the upload of a bundle. */
const uploadMs = 120_000

/** Submits a job. If the manager does not have its bundle, uploads that first. */
export const submitBundled = (client: Client, submission: Submission, bundled: Bundled | undefined) => {
  const submit = Effect.andThen(
    checkSubmission(submission),
    Effect.timeout(client.jobs.submit({ payload: submission }), answerMs)
  )
  if (bundled === undefined) return submit
  const { content, hash } = bundled
  const upload = client.bundles.upload({ params: { hash }, payload: Stream.make(content) })
  return Effect.catchTag(submit, "NotFound", () => Effect.andThen(Effect.timeout(upload, uploadMs), submit))
}

/** Checks a submission as the manager does, because what does not fit the API cannot be sent. */
const checkSubmission = (submission: Submission): Effect.Effect<void, Refused> =>
  Effect.mapError(
    Effect.asVoid(Schema.encodeUnknownEffect(Submission)(submission)),
    ({ message }) => new Refused({ message: `the submission is not valid: ${oneLine(message)}` })
  )

/** Returns true if a retry may succeed, because the manager was not reached or cannot answer now. */
export const isTransient = (error: unknown): boolean => {
  if (HttpClientError.isHttpClientError(error)) {
    const { reason, response } = error
    if (reason._tag === "InvalidUrlError" || reason._tag === "EncodeError") return false
    // an answer with a status of success was cut off
    return response === undefined || response.status < 300 || response.status >= 500 || response.status === 408 ||
      response.status === 429
  }
  return hasProperty(error, "_tag") && typeof error._tag === "string" && transientTags.has(error._tag)
}

/**
 * The tags of errors that may pass: the manager cannot answer now, a stream broke within an event or asked for a retry,
 * or no answer came.
 */
const transientTags = new Set(["StoreError", "Unavailable", "Busy", "SseError", "Retry", "TimeoutError"])

/** Waits before the next attempt: longer after each failure up to 5 s, with a jitter. */
export const backoff = (failures: number): Effect.Effect<void> =>
  Effect.flatMap(Random.next, (random) => Effect.sleep(Math.min(5_000, 100 * 2 ** failures) * (0.5 + random / 2)))

/** Repeats a call until the manager answers it, however long the manager cannot be reached. */
export const retryTransient = <A, E>(call: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  Effect.gen(function*() {
    for (let failures = 0;; failures++) {
      const result = yield* Effect.result(Effect.timeout(call, answerMs))
      if (result._tag === "Success") return result.success
      // safe: a timeout is transient, so this is an error of the call
      if (!isTransient(result.failure)) return yield* Effect.fail(result.failure as E)
      yield* backoff(failures)
    }
  })

/** Describes a failure for people. */
export const failureText = (error: unknown): string => {
  return HttpClientError.isHttpClientError(error) && error.cause instanceof Error
    ? `${messageOf(error)}: ${messageOf(error.cause) || error.cause.name}`
    : messageOf(error)
}

/**
 * Returns why there is no answer of a job manager: no server is there, the connection was lost, something between answered in
 * its place, as a proxy does, or the server is no job manager.
 */
export const obstacle = (error: unknown): "unreachable" | "lost" | "between" | "stranger" | undefined => {
  if (!HttpClientError.isHttpClientError(error)) return Schema.isSchemaError(error) ? "stranger" : undefined
  const status = error.response?.status ?? 0
  if (status >= 500 || between.has(status)) return "between"
  if (error.reason._tag !== "TransportError") return "stranger"
  const { cause } = error.reason
  if (cause instanceof Unproven) return "stranger"
  return hasProperty(cause, "code") && typeof cause.code === "string" && unreachableCodes.has(cause.code)
    ? "unreachable"
    : "lost"
}

/** The statuses with which proxies refuse requests and answers of their own. A job manager says more in its body. */
const between = new Set([401, 403, 407, 408, 413, 414, 429, 431])

const unreachableCodes = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT"
])
