import type { NumberedEvent } from "../models.ts"

/**
 * The number of events that are kept in memory for the followers of a job. Older ones are read from the store, because
 * a job may emit millions.
 */
const kept = 5_000

/** The latest events of a job that are on disk, numbered without gaps. */
export class RecentEvents {
  #events: Array<NumberedEvent> = []
  #last: number

  /** `last` is the number of the last event that is on disk already. */
  constructor(last = 0) {
    this.#last = last
  }

  add(events: ReadonlyArray<NumberedEvent>): void {
    for (const event of events) this.#events.push(event)
    this.#last = events.at(-1)?.seq ?? this.#last
    if (this.#events.length > 2 * kept) this.#events = this.#events.slice(-kept)
  }

  /** Returns the events after this number, or `undefined` if some of them are in the store only. */
  after(seq: number): ReadonlyArray<NumberedEvent> | undefined {
    const first = this.#last - this.#events.length + 1
    return seq + 1 < first ? undefined : this.#events.slice(seq + 1 - first)
  }
}
