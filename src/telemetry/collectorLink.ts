/** The way to the collector: an HTTP client that knows what was lost, and keeps no process alive. */
import * as Effect from "effect/Effect"
import type { HttpBody } from "effect/http/HttpBody"
import * as HttpClient from "effect/http/HttpClient"
import { HttpClientError, TransportError } from "effect/http/HttpClientError"
import type { HttpClientRequest } from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import { type ClientRequest, request as httpRequest } from "node:http"
import { request as httpsRequest } from "node:https"
import { messageOf } from "../base/errorText.ts"
import type { LostTelemetry } from "../StopReport.ts"
import type { CountedBodies } from "./countedBodies.ts"
import type { SignalName, SignalSettings } from "./otelSettings.ts"

/** The exporters try again so often. */
const attempts = 4

/** The exports of one signal, and their failures. */
interface Exports {
  readonly url: URL
  readonly timeoutMs: number
  /** The requests under way. */
  readonly open: Set<ClientRequest>
  /** The failures since the last success. */
  failures: number
  isLost: boolean
  why: string
  /** What was sent and not taken so far: the number of spans, metrics or records of each body, and its failures. */
  readonly sent: Map<HttpBody, { readonly count: number; failures: number }>
  /** The number of spans, metrics or records that were lost. */
  lost: number
}

export class CollectorLink {
  readonly #exports = new Map<SignalName, Exports>()
  readonly #bodies: CountedBodies
  readonly #say: (line: string) => void
  #state: "open" | "closing" | "closed" = "open"
  #hasSaid = false

  /** `say` tells people, once, that something is lost. */
  constructor(
    signals: Readonly<Partial<Record<SignalName, SignalSettings>>>,
    bodies: CountedBodies,
    say: (line: string) => void
  ) {
    this.#bodies = bodies
    this.#say = say
    for (const name of ["traces", "metrics", "logs"] as const) {
      const settings = signals[name]
      if (settings === undefined) continue
      const { timeoutMs, url } = settings
      this.#exports.set(name, {
        url,
        timeoutMs,
        open: new Set(),
        failures: 0,
        isLost: false,
        why: "",
        sent: new Map(),
        lost: 0
      })
    }
  }

  readonly client: HttpClient.HttpClient = HttpClient.make((request, url, signal) => {
    const exports = [...this.#exports.values()].find((one) => one.url.href === url.href)
    return exports === undefined || this.#state === "closed"
      ? Effect.succeed(answer(request, 400))
      : this.#send(request, exports, signal)
  })

  /** Tries no failed request again from now on, because the process ends. */
  beginClose(): void {
    this.#state = "closing"
  }

  /** Ends the requests under way. Returns what has been lost, and says it in one sentence. */
  close(limitMs: number): ReadonlyArray<LostTelemetry> {
    this.#state = "closed"
    for (const one of this.#exports.values()) {
      if (one.open.size === 0) continue
      one.isLost = true
      one.why = `it did not answer within ${Math.round(limitMs) / 1_000} s`
      for (const request of one.open) request.destroy()
    }
    const text = this.#lossText()
    if (text !== undefined) this.#say(text)
    return this.#lostSignals.map(([signal, { lost, sent, url, why }]) => {
      const count = [...sent.values()].reduce((sum, { count }) => sum + count, lost)
      return { signal, endpoint: url.origin, why, ...(count === 0 ? {} : { count }) }
    })
  }

  #send(request: HttpClientRequest, exports: Exports, signal: AbortSignal) {
    return Effect.callback<HttpClientResponse.HttpClientResponse, HttpClientError>((resume) => {
      const send = exports.url.protocol === "https:" ? httpsRequest : httpRequest
      const { body } = request
      const bytes = body._tag === "Uint8Array" ? body.body : new Uint8Array()
      const headers = { ...request.headers, "content-length": String(bytes.length) }
      let sent: ClientRequest
      try {
        // a connection that stays open would be a handle that the program has left
        sent = send(exports.url, { method: "POST", headers, agent: false, signal, timeout: exports.timeoutMs })
      } catch (error) {
        this.#failed(exports, body, messageOf(error))
        return resume(Effect.succeed(answer(request, 400)))
      }
      exports.open.add(sent)
      if (!exports.sent.has(body)) exports.sent.set(body, { count: this.#bodies.count(body), failures: 0 })
      const fails = (why: string): void => {
        if (!exports.open.delete(sent)) return
        this.#failed(exports, body, why)
        resume(this.#state === "open" ? Effect.fail(failure(request, why)) : Effect.succeed(answer(request, 400)))
      }
      sent.on("socket", (socket) => void socket.unref())
      sent.on("error", (error) => fails(messageOf(error) || "the connection was lost"))
      sent.on("timeout", () => sent.destroy(new Error(`it did not answer within ${exports.timeoutMs / 1_000} s`)))
      sent.on("response", (response) => {
        response.on("error", () => {})
        response.resume()
        if (!exports.open.delete(sent)) return
        const { statusCode: status = 500 } = response
        if (status >= 200 && status < 300) {
          exports.failures = 0
          exports.sent.delete(body)
          return resume(Effect.succeed(answer(request, status)))
        }
        this.#failed(exports, body, `it answered ${status}`, isFinal(status))
        resume(Effect.succeed(answer(request, this.#state === "open" ? status : 400)))
      })
      sent.end(bytes)
      return Effect.sync(() => {
        if (exports.open.delete(sent)) {
          exports.isLost = true
          exports.why = "it did not answer in time"
        }
        sent.destroy()
      })
    })
  }

  #failed(exports: Exports, body: HttpBody, why: string, isFinal = false): void {
    exports.failures++
    const sent = exports.sent.get(body)
    if (sent !== undefined && (++sent.failures >= attempts || isFinal)) {
      exports.sent.delete(body)
      exports.lost += sent.count
    }
    exports.why = why
    if (isFinal || exports.failures >= attempts) exports.isLost = true
    const text = this.#state === "open" && exports.isLost && !this.#hasSaid ? this.#lossText() : undefined
    if (text !== undefined) {
      this.#hasSaid = true
      this.#say(text)
    }
  }

  get #lostSignals() {
    const ended = this.#state === "closed"
    return [...this.#exports].filter(([, { failures, isLost }]) => isLost || (ended && failures > 0))
  }

  #lossText(): string | undefined {
    const lost = this.#lostSignals
    const [first] = lost
    if (first === undefined) return undefined
    const [, { url, why }] = first
    const names = lost.map(([name]) => name)
    const all = names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`
    return `telemetry: some ${all} were lost, because the collector at ${url.origin} cannot be used: ${why}.`
  }
}

/** The exporters try again after these. */
const isFinal = (status: number): boolean => ![408, 429, 500, 502, 503, 504].includes(status)

const answer = (request: HttpClientRequest, status: number): HttpClientResponse.HttpClientResponse =>
  HttpClientResponse.fromWeb(request, new Response(null, { status }))

const failure = (request: HttpClientRequest, description: string): HttpClientError =>
  new HttpClientError({ reason: new TransportError({ request, description }) })
