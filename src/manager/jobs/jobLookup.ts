/** Finds jobs by id: the active ones first, then those in the store. */
import * as Effect from "effect/Effect"
import { Conflict, NotFound } from "../errors.ts"
import type { JobStore } from "../JobStore.ts"
import type { ActiveJob } from "./activeJob.ts"

export const jobLookup = (store: JobStore["Service"], active: ReadonlyMap<string, ActiveJob>) => {
  const info = Effect.fnUntraced(function*(id: string) {
    const job = active.get(id)
    if (job !== undefined) return job.info
    const stored = yield* store.get(id)
    return stored?.info ?? (yield* new NotFound({ id, message: noJob(id) }))
  })

  const result = Effect.fnUntraced(function*(id: string) {
    const { state } = yield* info(id)
    if (state !== "stopped") {
      return yield* new Conflict({ message: `job ${id} is ${state}: it has a result once it has stopped` })
    }
    // the result of a job that has just stopped may not be in the store yet
    yield* active.get(id)?.finished.await ?? Effect.void
    const stored = yield* store.result(id)
    return stored ?? (yield* new NotFound({ id, message: `job ${id} has no result: it was removed meanwhile` }))
  })

  /** Returns the submission of a job that has stopped, for another job of this id. */
  const again = Effect.fnUntraced(function*(id: string, newId: string) {
    const { state } = yield* info(id)
    if (state !== "stopped") {
      return yield* new Conflict({ message: `job ${id} is ${state}: it can be submitted again once it has stopped` })
    }
    if (newId === id) {
      return yield* new Conflict({
        message: `the id ${newId} belongs to the job itself: submit it again with another id`
      })
    }
    const stored = yield* store.get(id)
    if (stored === undefined) return yield* new NotFound({ id, message: noJob(id) })
    // the client that renewed the lease is not there
    const { leaseMs: _, ...submission } = stored.submission
    return { ...submission, id: newId }
  })

  return { info, result, again }
}

const noJob = (id: string): string => `there is no job ${id}: check the id; the job may have been removed`
