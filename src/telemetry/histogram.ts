/** A histogram that costs little for each value, and whose values can be passed on and added to another one. */
import type * as Metric from "effect/Metric"

/** The values of a histogram. */
export interface HistogramCounts {
  /** The number of values up to each bound, without those up to the bound before; last that of values beyond all. */
  readonly counts: ReadonlyArray<number>
  readonly sum: number
  readonly min: number
  readonly max: number
}

export class Histogram {
  readonly #bounds: ReadonlyArray<number>
  #counts: Array<number>
  #sum = 0
  #min = Infinity
  #max = -Infinity

  constructor(bounds: ReadonlyArray<number>) {
    this.#bounds = bounds
    this.#counts = zeros(bounds)
  }

  /** Adds a value so many times. */
  add(value: number, times = 1): void {
    const bounds = this.#bounds
    let at = 0
    while (at < bounds.length && value > (bounds[at] ?? 0)) at++
    this.#counts[at] = (this.#counts[at] ?? 0) + times
    this.#sum += value * times
    if (value < this.#min) this.#min = value
    if (value > this.#max) this.#max = value
  }

  /** Adds the values of another one that has the same bounds. */
  addAll({ counts, max, min, sum }: HistogramCounts): void {
    for (let at = 0; at < this.#counts.length; at++) this.#counts[at] = (this.#counts[at] ?? 0) + (counts[at] ?? 0)
    this.#sum += sum
    this.#min = Math.min(this.#min, min)
    this.#max = Math.max(this.#max, max)
  }

  /** Returns the values since the last time, and forgets them; `undefined` if there are none. */
  take(): HistogramCounts | undefined {
    if (this.#max < this.#min) return undefined
    const taken = { counts: this.#counts, sum: this.#sum, min: this.#min, max: this.#max }
    this.#counts = zeros(this.#bounds)
    this.#sum = 0
    this.#min = Infinity
    this.#max = -Infinity
    return taken
  }

  /** The state as metrics of Effect have it: the number of values up to each bound. */
  get state(): Metric.HistogramState {
    let count = 0
    const upTo = (at: number): number => count += this.#counts[at] ?? 0
    const buckets = this.#bounds.map((bound, at): [number, number] => [bound, upTo(at)])
    return { buckets, count: upTo(this.#bounds.length), min: this.#min, max: this.#max, sum: this.#sum }
  }
}

const zeros = (bounds: ReadonlyArray<number>): Array<number> => Array.from({ length: bounds.length + 1 }, () => 0)
