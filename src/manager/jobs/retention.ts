/** Removes stopped jobs and unused bundles when they are old. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { StoreError } from "../errors.ts"
import type { JobStore } from "../JobStore.ts"
import type { Retention } from "../Manager.ts"

const intervalMs = 10 * 60_000

export interface RetentionOptions {
  readonly store: JobStore["Service"]
  readonly keep: Retention
  /** Removes the files of a job, or of a bundle, that was removed from the store. */
  readonly removeJobFiles: (id: string) => void
  readonly removeBundleFiles: (hash: string) => void
  /** Called after jobs were removed. */
  readonly onRemoved: () => void
}

/** Removes the jobs that stopped before a time, and returns how many there were. */
export const removeStopped = (
  { onRemoved, removeJobFiles, store }: RetentionOptions,
  before: string
): Effect.Effect<number, StoreError> =>
  Effect.map(store.removeStopped(before), (ids) => {
    ids.forEach(removeJobFiles)
    if (ids.length > 0) onRemoved()
    return ids.length
  })

/** Removes the jobs and bundles that are too old, and the oldest of too many jobs. */
export const removeOld = (options: RetentionOptions): Effect.Effect<void, StoreError> =>
  Effect.gen(function*() {
    const { keep, removeBundleFiles, store } = options
    const now = yield* Clock.currentTimeMillis
    const oldest = keep.ageMs < now ? new Date(now - keep.ageMs).toISOString() : ""
    const lastKept = keep.jobs === Infinity ? undefined : yield* store.stoppedAt(keep.jobs)
    const before = lastKept !== undefined && lastKept > oldest ? lastKept : oldest
    if (before !== "") yield* removeStopped(options, before)
    if (oldest !== "") (yield* store.removeBundles(oldest)).forEach(removeBundleFiles)
  })

/** Removes what is old, periodically and forever. What cannot be removed is tried again the next time. */
export const retain = (options: RetentionOptions): Effect.Effect<void> =>
  removeOld(options).pipe(
    Effect.catch(({ message }) =>
      Effect.logWarning(`old jobs could not be removed; the manager tries again in 10 minutes: ${message}`)
    ),
    Effect.andThen(Effect.sleep(intervalMs)),
    Effect.forever
  )
