/** Each octave of durations, from 1 µs on, has so many buckets: a percentile is 2 % off at most. */
const bucketsPerOctave = 16
const octaves = 27
/** Percentiles are those of the last one to two of these times. */
const windowMs = 5_000

const makeCounts = () => new Uint32Array(octaves * bucketsPerOctave)

/** The durations of one stage, counted in buckets. */
export class Durations {
  readonly #octaves = Array.from({ length: octaves }, () => 0)
  #recent = makeCounts()
  #before = makeCounts()
  #since: number

  /** `at` is the time of now, in milliseconds of a clock that only moves forward. */
  constructor(at: number) {
    this.#since = at
  }

  record(ms: number): void {
    const bucket = Math.floor(Math.log2(ms * 1_000) * bucketsPerOctave)
    const counted = Math.min(octaves * bucketsPerOctave - 1, Math.max(0, bucket))
    this.#recent[counted] = (this.#recent[counted] ?? 0) + 1
    const octave = Math.floor(counted / bucketsPerOctave)
    this.#octaves[octave] = (this.#octaves[octave] ?? 0) + 1
  }

  /** Forgets, for percentiles, what is too old. */
  turn(at: number): void {
    if (at - this.#since < windowMs) return
    // nobody has read for a long time
    const isStale = at - this.#since >= 2 * windowMs
    this.#before = isStale ? makeCounts() : this.#recent
    this.#recent = makeCounts()
    this.#since = at
  }

  /** The number of durations in each octave: below 2 µs, below 4 µs and so on, as far as there are any. */
  get counts(): ReadonlyArray<number> {
    return this.#octaves.slice(0, 1 + this.#octaves.findLastIndex((count) => count > 0))
  }

  /** Returns the duration that so large a share of the recent ones does not exceed, in milliseconds. */
  percentile(share: number): number | undefined {
    let total = 0
    for (let i = 0; i < this.#recent.length; i++) total += this.#at(i)
    if (total === 0) return undefined
    let left = share * total
    let bucket = 0
    while ((left -= this.#at(bucket)) > 0) bucket++
    return 2 ** ((bucket + 0.5) / bucketsPerOctave) / 1_000
  }

  #at(bucket: number): number {
    return (this.#recent[bucket] ?? 0) + (this.#before[bucket] ?? 0)
  }
}
