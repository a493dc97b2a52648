/** The one feed of this tab: what all jobs do, and the events and the output of the job that is open. */
import { signal } from "@preact/signals"
import type { FeedMessage } from "./models.ts"
import { ApiError, messageOf, queryOf, request } from "./request.ts"
import { token } from "./session.ts"
import { SseParser } from "./sse.ts"

/** A feed that says nothing for two heartbeats and a half is lost. */
const silentMs = 40_000
const longestDelayMs = 10_000

export type FeedState =
  | { readonly _tag: "Connecting" | "Live" }
  /** It broke at this time on the clock of this browser that nobody sets. */
  | { readonly _tag: "Broken"; readonly sinceMs: number; readonly reason: string; readonly isRefused: boolean }

export const feedState = signal<FeedState>({ _tag: "Connecting" })

/** The job that the feed is about, beside all jobs, and the place from which it goes on. */
export interface FeedQuery {
  readonly job?: string
  /** The number of the last event that is known. */
  readonly after?: number
  /** The number of the last line that is known; absent if the output is not shown. */
  readonly line?: number
}

export interface FeedOptions {
  /** Returns what to ask for, whenever the feed begins. */
  readonly query: () => FeedQuery
  /** Called with all messages of one piece, so that they are drawn at once. */
  readonly onMessages: (messages: ReadonlyArray<FeedMessage>) => void
}

/** Reads the feed until the page is closed: it begins again when it breaks. */
export class Feed {
  readonly #options: FeedOptions
  #abort = new AbortController()
  #wake: () => void = () => {}
  #failures = 0

  constructor(options: FeedOptions) {
    this.#options = options
    globalThis.addEventListener("online", () => this.#wake())
    token.subscribe(() => this.restart())
    void this.#run()
  }

  /** Begins the feed again, because it is about something else now. */
  restart(): void {
    this.#abort.abort()
    this.#wake()
  }

  async #run(): Promise<never> {
    for (;;) {
      this.#abort = new AbortController()
      const { signal } = this.#abort
      const reason = await this.#read(signal).catch((error: unknown) => error)
      if (signal.aborted && !(reason instanceof Silence)) continue
      this.#broken(reason)
      await this.#pause(reason)
    }
  }

  #broken(reason: unknown): void {
    const state = feedState.peek()
    const sinceMs = state._tag === "Broken" ? state.sinceMs : performance.now()
    feedState.value = { _tag: "Broken", sinceMs, reason: messageOf(reason), isRefused: isRefusal(reason) }
  }

  /** Waits before the next try. One that was refused waits until there is another token. */
  #pause(reason: unknown): Promise<void> {
    const isRefused = isRefusal(reason)
    const delayMs = Math.min(longestDelayMs, 250 * 2 ** this.#failures++)
    return new Promise((resolve) => {
      const timer = isRefused ? undefined : setTimeout(resolve, delayMs)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  async #read(signal: AbortSignal): Promise<Error> {
    const { body } = await request(`feed${queryOf({ ...this.#options.query() })}`, { signal })
    if (body === null) return new Error("the feed is empty")
    const reader = body.pipeThrough(new TextDecoderStream()).getReader()
    const parser = new SseParser()
    for (;;) {
      const { done, value } = await readInTime(reader)
      if (done) return new Error("the manager has ended the feed")
      const messages: Array<FeedMessage> = []
      for (const { data, event } of parser.push(value)) {
        if (event === "message") messages.push(JSON.parse(data))
        else if (event !== "heartbeat") return new Error("the manager could not go on with the feed")
      }
      if (signal.aborted) return new Error("the feed is about something else now")
      this.#failures = 0
      if (feedState.peek()._tag !== "Live") feedState.value = { _tag: "Live" }
      if (messages.length > 0) this.#options.onMessages(messages)
    }
  }
}

const isRefusal = (reason: unknown): boolean =>
  reason instanceof ApiError && (reason.status === 401 || reason.status === 403)

class Silence extends Error {}

const readInTime = async (reader: ReadableStreamDefaultReader<string>) => {
  let timer: ReturnType<typeof setTimeout> | undefined
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Silence("the manager has said nothing for 40 s")), silentMs)
  })
  try {
    return await Promise.race([reader.read(), silence])
  } catch (error) {
    void reader.cancel().catch(() => {})
    throw error
  } finally {
    clearTimeout(timer)
  }
}
