import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { LiveJob } from "./liveJob.ts"

export interface Leasing {
  readonly clock: Clock.Clock
  readonly fork: (effect: Effect.Effect<void>) => unknown
}

/** Ends the jobs whose clients have gone away, where those have asked for it. */
export class Leases {
  readonly #given: Leasing
  readonly #onExpired: (job: LiveJob, reason: string) => void

  constructor(given: Leasing, onExpired: (job: LiveJob, reason: string) => void) {
    this.#given = given
    this.#onExpired = onExpired
  }

  /** The lease of the job, if it has one, lasts from now on. */
  renew(job: LiveJob): void {
    const { leaseMs } = job.submission
    if (leaseMs === undefined) return
    const isNew = job.leaseEnd === Infinity
    job.leaseEnd = this.#given.clock.currentTimeMillisUnsafe() + leaseMs
    if (isNew) this.#given.fork(this.#watch(job))
  }

  #watch(job: LiveJob): Effect.Effect<void> {
    return Effect.suspend(() => {
      const left = job.leaseEnd - this.#given.clock.currentTimeMillisUnsafe()
      if (job.finished.isOpen) return Effect.void
      if (left > 0) {
        return Effect.andThen(Effect.raceFirst(Effect.sleep(left), job.finished.await), this.#watch(job))
      }
      return Effect.sync(() => this.#onExpired(job, "its lease has expired: its client is gone"))
    })
  }
}
