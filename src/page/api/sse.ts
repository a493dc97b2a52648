/** Reads server-sent events from a text that comes in pieces. */

export interface ServerSentEvent {
  readonly event: string
  readonly id: string | undefined
  readonly data: string
}

export class SseParser {
  #rest = ""
  #event = "message"
  #id: string | undefined
  #data: Array<string> = []

  /** Returns the events that this piece completes. */
  push(piece: string): ReadonlyArray<ServerSentEvent> {
    const lines = (this.#rest + piece).split(/\r\n|\n|\r(?!$)/)
    this.#rest = lines.pop() ?? ""
    const events: Array<ServerSentEvent> = []
    for (const line of lines) {
      if (line !== "") this.#field(line)
      else {
        if (this.#data.length > 0) events.push({ event: this.#event, id: this.#id, data: this.#data.join("\n") })
        this.#event = "message"
        this.#id = undefined
        this.#data = []
      }
    }
    return events
  }

  #field(line: string): void {
    const colon = line.indexOf(":")
    const name = colon === -1 ? line : line.slice(0, colon)
    const value = colon === -1 ? "" : line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1)
    if (name === "data") this.#data.push(value)
    else if (name === "event") this.#event = value
    else if (name === "id") this.#id = value
  }
}
