/**
 * The clock of those who write the events, as far as the events tell it. It never lags behind an event, so that no age is
 * negative, and it goes on evenly between events, although the clock of this machine may differ or be set.
 */
export class EventClock {
  /** The milliseconds by which that clock is ahead of the monotonic clock here. */
  #aheadMs: number

  /** `guessMs` is the time that holds until events tell more. */
  constructor(guessMs: number, monotonicMs: number) {
    this.#aheadMs = guessMs - monotonicMs
  }

  /** Takes note of a time that was written before this moment. */
  heard(at: string, monotonicMs: number): void {
    const ms = Date.parse(at)
    if (!Number.isNaN(ms)) this.#aheadMs = Math.max(this.#aheadMs, ms - monotonicMs)
  }

  /** Returns the time there, in milliseconds since 1970. */
  now(monotonicMs: number): number {
    return monotonicMs + this.#aheadMs
  }
}
