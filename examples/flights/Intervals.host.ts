// The bootstrap: many samples are drawn from the sample, and the spread of their means gives the interval.
import { Host } from "autostop"
import { type Array as Arr, Effect } from "effect"
import type { Interval } from "./Flight.ts"
import { Intervals } from "./Intervals.ts"

const samples = 10_000

const ofMean = (values: Arr.NonEmptyReadonlyArray<number>): Interval => {
  const random = numbersBelow(values.length)
  const means = new Float64Array(samples)
  for (let sample = 0; sample < samples; sample++) {
    let sum = 0
    for (let n = 0; n < values.length; n++) sum += values[random()] ?? 0
    means[sample] = sum / values.length
  }
  means.sort()
  return { low: means[0.025 * samples] ?? 0, high: means[0.975 * samples] ?? 0 }
}

/** Mulberry32, always with the same seed, so that the same values have the same interval in each host. */
const numbersBelow = (limit: number) => {
  let state = 0
  return (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor(((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32 * limit)
  }
}

export default Host.serve(
  Intervals,
  Intervals.group.toLayer({ ofMean: ({ values }) => Effect.sync(() => ofMean(values)) })
)
