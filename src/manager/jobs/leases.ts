import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { ActiveJob } from "./activeJob.ts"

export interface LeaseDependencies {
  readonly clock: Clock.Clock
  readonly fork: (effect: Effect.Effect<void>) => unknown
}

/** Ends the jobs whose leases are not renewed. */
export class Leases {
  readonly #given: LeaseDependencies
  readonly #onExpired: (job: ActiveJob) => void
  /** The time at which each lease expires, in milliseconds since 1970. */
  readonly #ends = new Map<ActiveJob, number>()

  constructor(given: LeaseDependencies, onExpired: (job: ActiveJob) => void) {
    this.#given = given
    this.#onExpired = onExpired
  }

  /** Starts the lease of a job anew, if the job was submitted with one. */
  renew(job: ActiveJob): void {
    const { leaseMs } = job.submission
    if (leaseMs === undefined || job.finished.isOpen) return
    const isNew = !this.#ends.has(job)
    this.#ends.set(job, this.#given.clock.currentTimeMillisUnsafe() + leaseMs)
    if (!isNew) return
    job.finished.onOpen(() => this.#ends.delete(job))
    this.#given.fork(this.#watch(job))
  }

  #watch(job: ActiveJob): Effect.Effect<void> {
    return Effect.suspend(() => {
      const end = this.#ends.get(job)
      if (end === undefined) return Effect.void
      const leftMs = end - this.#given.clock.currentTimeMillisUnsafe()
      if (leftMs <= 0) return Effect.sync(() => this.#onExpired(job))
      return Effect.andThen(Effect.raceFirst(Effect.sleep(leftMs), job.finished.await), this.#watch(job))
    })
  }
}
