import type { NumberedEvent } from "../models.ts"

/**
 * The number of events that are kept in memory for the followers of a job. Older ones are read from the store, because
 * a job may emit millions.
 */
const kept = 5_000
/** The largest number of events that a follower is given at once. */
const pageSize = 1_000

/** The latest events of a job that are on disk, numbered without gaps. */
export class RecentEvents {
  #events: Array<NumberedEvent> = []
  #last: number
  /** The events that were returned last. Followers that have read the same get the same array, which is then encoded once. */
  #page: { readonly after: number; readonly events: ReadonlyArray<NumberedEvent> } | undefined

  /** `last` is the number of the last event that is on disk already. */
  constructor(last = 0) {
    this.#last = last
  }

  add(events: ReadonlyArray<NumberedEvent>): void {
    this.#page = undefined
    for (const event of events) this.#events.push(event)
    this.#last = events.at(-1)?.seq ?? this.#last
    if (this.#events.length > 2 * kept) this.#events = this.#events.slice(-kept)
  }

  /** Returns the next events after this number, or `undefined` if the first of them is in the store only. */
  after(seq: number): ReadonlyArray<NumberedEvent> | undefined {
    const first = this.#last - this.#events.length + 1
    const start = seq + 1 - first
    if (start < 0) return undefined
    if (this.#page?.after !== seq) this.#page = { after: seq, events: this.#events.slice(start, start + pageSize) }
    return this.#page.events
  }
}
