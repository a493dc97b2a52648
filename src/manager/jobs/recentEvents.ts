import type { NumberedEvent } from "../models.ts"

/** A job may tell millions: these many are there for those who follow it, the others are read from the store. */
const most = 5_000

/** The newest events of a job that are on disk. Each has the number of the one before it, and one more. */
export class RecentEvents {
  #events: Array<NumberedEvent> = []
  #last = 0

  add(events: ReadonlyArray<NumberedEvent>): void {
    for (const event of events) this.#events.push(event)
    this.#last = events.at(-1)?.seq ?? this.#last
    if (this.#events.length > 2 * most) this.#events = this.#events.slice(-most)
  }

  /** Those after this one; `undefined` where older ones than are here come first. */
  after(seq: number): ReadonlyArray<NumberedEvent> | undefined {
    const first = this.#last - this.#events.length + 1
    return seq + 1 < first ? undefined : this.#events.slice(seq + 1 - first)
  }
}
