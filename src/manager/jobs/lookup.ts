/** Finds jobs: those that live, and those that the store knows. */
import * as Effect from "effect/Effect"
import type { JobStore } from "../JobStore.ts"
import type { LiveJob } from "./liveJob.ts"
import { Conflict, NotFound } from "../Manager.ts"

export const lookup = (store: JobStore["Service"], live: ReadonlyMap<string, LiveJob>) => {
  const info = Effect.fnUntraced(function*(id: string) {
    const job = live.get(id)
    if (job !== undefined) return job.info
    const stored = yield* store.get(id)
    return stored?.info ?? (yield* new NotFound({ id, message: `there is no job ${id}` }))
  })

  const resolve = Effect.fnUntraced(function*(prefix: string) {
    const ids = yield* store.withPrefix(prefix, 2)
    const [id] = ids
    if (id === undefined) return yield* new NotFound({ id: prefix, message: `there is no job ${prefix}` })
    if (ids.length === 1 || ids.includes(prefix)) return ids.includes(prefix) ? prefix : id
    return yield* new Conflict({ message: `several jobs begin with ${prefix}; more of the id is needed` })
  })

  const result = Effect.fnUntraced(function*(id: string) {
    const { state } = yield* info(id)
    if (state !== "stopped") {
      return yield* new Conflict({ message: `job ${id} is ${state}; its result is there once it has stopped` })
    }
    // it is not in the store before that
    yield* live.get(id)?.finished.await ?? Effect.void
    return (yield* store.result(id)) ?? (yield* new NotFound({ id, message: `job ${id} has no result` }))
  })

  return { info, resolve, result }
}
