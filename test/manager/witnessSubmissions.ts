/** The submissions of jobs that bear witness: the number says which of them. */
import { assert } from "@effect/vitest"

export const hourMs = 60 * 60 * 1_000

const acts = ["ends", "ends", "waits", "waits", "fails", "fails", "blocks"] as const
const leavings = ["nothing", "child", "session"] as const
const restarts = [
  {},
  { restart: { policy: "fixed", delayMs: 0, times: 2 } },
  { restart: { policy: "exponential", delayMs: 300, times: 3 } },
  { restart: { policy: "fixed", delayMs: hourMs } },
  { leaseMs: 1_500 }
]

export const pick = <A>(values: ReadonlyArray<A>, way: number): A =>
  values[way % values.length] ?? assert.fail("no values")

export interface Testimony {
  readonly id: string
  readonly journal: string
  readonly concurrency: number
}

export const submissionOf = (testimony: Testimony, way: number) => ({
  id: testimony.id,
  job: "witness",
  payload: { ...testimony, act: pick(acts, way), leaves: pick(leavings, way >> 3) },
  ...pick(restarts, way >> 5)
})
