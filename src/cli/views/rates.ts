/** How fast counters grow: over the last while, and until that has passed since they were first seen. */
export class Rates {
  readonly #known = new Map<string, { readonly count: number; readonly at: number; readonly rate: number }>()
  readonly #everyMs: number

  constructor(everyMs: number) {
    this.#everyMs = everyMs
  }

  /** How much a counter grows in a second, at a time in milliseconds. */
  rate(key: string, count: number, now: number): number {
    const last = this.#known.get(key)
    if (last === undefined) {
      this.#known.set(key, { count, at: now, rate: 0 })
      return 0
    }
    const elapsed = now - last.at
    const isDue = elapsed >= this.#everyMs
    const rate = elapsed > 0 && (isDue || last.rate === 0) ? ((count - last.count) * 1_000) / elapsed : last.rate
    if (isDue) this.#known.set(key, { count, at: now, rate })
    return rate
  }
}
