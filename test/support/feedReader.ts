import { setTimeout } from "node:timers/promises"
import * as Schema from "effect/Schema"
import { JobEvent } from "../../src/JobEvent.ts"
import type { NumberedEvent } from "../../src/manager/models.ts"

const decode = Schema.decodeUnknownSync(JobEvent)

/** Follows the events of a job as a browser does: over as many connections as it takes, each after the last event. */
export class FeedReader {
  readonly id: string
  readonly events: Array<NumberedEvent> = []
  /** Resolves when there is nothing more to read: `removed` if there is no such job. */
  readonly ended: Promise<"whole" | "removed" | "aborted">
  readonly #connect: (path: string, init: RequestInit) => Promise<Response>
  readonly #abort = new AbortController()

  constructor(id: string, connect: (path: string, init: RequestInit) => Promise<Response>) {
    this.id = id
    this.#connect = connect
    this.ended = this.#follow()
  }

  abort(): void {
    this.#abort.abort()
  }

  async #follow(): Promise<"whole" | "removed" | "aborted"> {
    while (!this.#abort.signal.aborted) {
      const status = await this.#read().catch(() => undefined)
      if (status === 204) return "whole"
      if (status === 404) return "removed"
      // the manager is down or away: a browser connects again after a while, too
      await setTimeout(50)
    }
    return "aborted"
  }

  async #read(): Promise<number> {
    const { body, status } = await this.#connect(`/jobs/${this.id}/events?follow=true`, {
      headers: { "last-event-id": String(this.events.at(-1)?.seq ?? 0) },
      signal: this.#abort.signal
    })
    if (body === null) return status
    let text = ""
    for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
      text += chunk
      const end = text.lastIndexOf("\n\n")
      if (end < 0 || status !== 200) continue
      this.events.push(...readEvents(text.slice(0, end)))
      text = text.slice(end + 2)
    }
    return status
  }
}

/** Reads the whole events of a feed. Heartbeats have no number. */
export const readEvents = (text: string): ReadonlyArray<NumberedEvent> =>
  text.split("\n\n").flatMap((block) => {
    const seq = /^id: ?(\d+)$/m.exec(block)?.[1]
    const data = /^data: ?(\{.*\})$/m.exec(block)?.[1]
    return seq === undefined || data === undefined ? [] : [{ seq: Number(seq), event: decode(JSON.parse(data)) }]
  })
