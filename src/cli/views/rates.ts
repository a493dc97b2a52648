/** The rates at which counters grow: over the last interval or, before one has passed, since a counter was first seen. */
export class Rates {
  readonly #known = new Map<string, { readonly count: number; readonly at: number; readonly rate: number }>()
  readonly #intervalMs: number

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs
  }

  /** Returns the growth of a counter each second. `now` is in milliseconds. */
  rate(key: string, count: number, now: number): number {
    const last = this.#known.get(key)
    if (last === undefined) {
      this.#known.set(key, { count, at: now, rate: 0 })
      return 0
    }
    const elapsed = now - last.at
    const isOver = elapsed >= this.#intervalMs
    const rate = elapsed > 0 && (isOver || last.rate === 0) ? ((count - last.count) * 1_000) / elapsed : last.rate
    if (isOver) this.#known.set(key, { count, at: now, rate })
    return rate
  }
}
