import * as Effect from "effect/Effect"
import { Busy, type StoreError } from "../errors.ts"
import type { Submission } from "../models.ts"

export interface QueueQuotaOptions {
  /** The largest number of jobs that wait. */
  readonly limit: number
  /** Returns the number of jobs that wait: for a place, or for their restart. */
  readonly waiting: () => number
  /** Returns true if there is a job of this id. */
  readonly isKnown: (id: string) => Effect.Effect<boolean, StoreError>
}

/** Limits the number of jobs that wait, because each of them takes memory and a place in the store. */
export class QueueQuota {
  readonly #options: QueueQuotaOptions
  /** The number of submits under way. Each of them may become a job that waits. */
  #submitting = 0

  constructor(options: QueueQuotaOptions) {
    this.#options = options
  }

  /** Fails if there is no room for another job. A submission that has a job already needs none. */
  within<A, E>({ id }: Submission, submit: Effect.Effect<A, E>): Effect.Effect<A, E | Busy | StoreError> {
    const counted = Effect.suspend(() => {
      this.#submitting++
      return Effect.ensuring(submit, Effect.sync(() => void this.#submitting--))
    })
    return Effect.suspend(() => {
      const { isKnown, limit, waiting } = this.#options
      if (waiting() + this.#submitting < limit) return Effect.succeed(true)
      const full = new Busy({
        message: `${limit} jobs wait, which is the limit: submit again later, or start the manager with a larger ` +
          "--max-queued"
      })
      if (id === undefined) return Effect.fail(full)
      return Effect.filterOrFail(isKnown(id), (known) => known, () => full)
    }).pipe(Effect.andThen(counted))
  }
}
