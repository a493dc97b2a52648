/** What becomes of jobs that have stopped, and of code that no job has. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { JobStore, StoreError } from "../JobStore.ts"
import type { Retention } from "../Manager.ts"

/** How often it is looked after. */
const everyMs = 10 * 60_000

export interface Kept {
  readonly store: JobStore["Service"]
  readonly keep: Retention
  /** Removes what is there besides the store of a job, or of a bundle. */
  readonly forgetJob: (id: string) => void
  readonly forgetBundle: (hash: string) => void
  readonly onRemoved: () => void
}

/** Removes the jobs that stopped before a time. How many. */
export const removeStopped = (
  { forgetJob, onRemoved, store }: Kept,
  before: string
): Effect.Effect<number, StoreError> =>
  Effect.map(store.removeStopped(before), (ids) => {
    ids.forEach(forgetJob)
    if (ids.length > 0) onRemoved()
    return ids.length
  })

/** Removes what is not to be kept any longer. */
export const removeOld = (kept: Kept): Effect.Effect<void, StoreError> =>
  Effect.gen(function*() {
    const { forgetBundle, keep, store } = kept
    const now = yield* Clock.currentTimeMillis
    const oldest = keep.ageMs < now ? new Date(now - keep.ageMs).toISOString() : ""
    const last = keep.jobs === Infinity ? undefined : yield* store.stoppedAt(keep.jobs)
    const before = last !== undefined && last > oldest ? last : oldest
    if (before !== "") yield* removeStopped(kept, before)
    if (oldest !== "") (yield* store.removeBundles(oldest)).forEach(forgetBundle)
  })

/** Does so again and again. What cannot be removed now is removed later. */
export const retain = (kept: Kept): Effect.Effect<void> =>
  removeOld(kept).pipe(
    Effect.catch(({ message }) => Effect.logWarning(`old jobs could not be removed: ${message}`)),
    Effect.andThen(Effect.sleep(everyMs)),
    Effect.forever
  )
