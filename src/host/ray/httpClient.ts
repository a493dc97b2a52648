import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as http from "node:http"
import * as https from "node:https"

/** The time for which a request may neither send nor receive anything. */
export const silentMs = 30_000

/** The bytes of a request that are sent at once: each part that was sent is a sign of life. */
const partBytes = 2 ** 18

export interface Request {
  readonly method: string
  /** The path beneath that of the client's address. */
  readonly path: string
  readonly body?: string | Uint8Array | undefined
  /** The type of the body, which is JSON by default. */
  readonly type?: string | undefined
}

export interface Answer {
  readonly status: number
  readonly text: string
}

/** The failure of a request: `isStale` if its connection had been used before, and was closed meanwhile. */
interface Unanswered {
  readonly why: string
  readonly isStale: boolean
}

/** Sends requests to one server, and keeps its connections for later ones. */
export class HttpClient {
  readonly #base: URL
  readonly #token: string | undefined
  readonly #module: typeof http | typeof https
  readonly #agent: http.Agent

  constructor(base: URL, token: string | undefined) {
    this.#base = base
    this.#token = token
    this.#module = base.protocol === "https:" ? https : http
    this.#agent = new this.#module.Agent({ keepAlive: true })
  }

  close(): void {
    this.#agent.destroy()
  }

  /** Sends a request, again if the server has closed an idle connection meanwhile. Fails with a text for people. */
  request(request: Request): Effect.Effect<Answer, string> {
    return Effect.suspend(() => {
      const activity = { signs: 0 }
      return Effect.raceFirst(this.#exchange(request, activity), silence(activity))
    }).pipe(
      Effect.retry({ while: ({ isStale }) => isStale }),
      Effect.mapError(({ why }) => why)
    )
  }

  #exchange(
    { body, method, path, type = "application/json" }: Request,
    activity: { signs: number }
  ): Effect.Effect<Answer, Unanswered> {
    return Effect.callback((resume) => {
      const bytes = body === undefined ? undefined : Buffer.from(body)
      const failed = (error: Error & { readonly code?: string }) =>
        resume(Effect.fail({
          why: error.message || (error.code ?? ""),
          isStale: request.reusedSocket && error.code === "ECONNRESET"
        }))
      const headers = {
        ...(bytes === undefined ? {} : { "content-type": type, "content-length": bytes.length }),
        ...(this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` })
      }
      const url = new URL(this.#base.pathname.replace(/\/$/, "") + path, this.#base)
      const request = this.#module.request(url, { method, agent: this.#agent, headers }, (response) => {
        const chunks: Array<Buffer> = []
        response.on("data", (chunk: Buffer) => {
          activity.signs++
          chunks.push(chunk)
        })
        response.on("error", failed)
        response.on("end", () =>
          resume(Effect.succeed({
            status: response.statusCode ?? 0,
            text: Buffer.concat(chunks).toString("utf8")
          })))
      })
      request.on("error", failed)
      const send = (from: number) => {
        if (bytes === undefined || from >= bytes.length) return void request.end()
        request.write(bytes.subarray(from, from + partBytes), (error) => {
          activity.signs++
          if (!(error instanceof Error)) send(from + partBytes)
        })
      }
      send(0)
      return Effect.sync(() => request.destroy())
    })
  }
}

/** Fails once a request has given no sign of life for the whole limit. */
const silence = (activity: { readonly signs: number }): Effect.Effect<never, Unanswered> => {
  let before = activity.signs
  return Effect.sleep(Duration.millis(silentMs)).pipe(
    Effect.flatMap(() => {
      if (activity.signs === before) return Effect.fail({ why: `no answer within ${silentMs} ms`, isStale: false })
      before = activity.signs
      return Effect.void
    }),
    Effect.forever
  )
}
