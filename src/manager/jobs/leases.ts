import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { now } from "../../base/clock.ts"
import type { ActiveJob } from "./activeJob.ts"

export interface LeaseDependencies {
  readonly clock: Clock.Clock
  readonly fork: (effect: Effect.Effect<void>) => unknown
}

/** The number of times that leases are looked at while the shortest of them lasts. */
const looks = 8

/**
 * Ends the jobs whose leases are not renewed. A lease does not count time in which this process did not run, because it was
 * paused or busy: nobody could renew anything then. Of each pause an eighth of the lease may count.
 */
export class Leases {
  readonly #given: LeaseDependencies
  readonly #onExpired: (job: ActiveJob) => void
  /** The time at which each lease expires, in monotonic milliseconds. */
  readonly #ends = new Map<ActiveJob, number>()
  #isWatching = false

  constructor(given: LeaseDependencies, onExpired: (job: ActiveJob) => void) {
    this.#given = given
    this.#onExpired = onExpired
  }

  /** Starts the lease of a job anew, if the job was submitted with one. */
  renew(job: ActiveJob): void {
    const { leaseMs } = job.submission
    if (leaseMs === undefined || job.finished.isOpen) return
    const isNew = !this.#ends.has(job)
    this.#ends.set(job, this.#now() + leaseMs)
    if (isNew) job.finished.onOpen(() => this.#ends.delete(job))
    if (this.#isWatching) return
    this.#isWatching = true
    this.#given.fork(this.#watch)
  }

  /** Looks at the leases as long as there are any. */
  readonly #watch: Effect.Effect<void> = Effect.suspend(() => {
    this.#isWatching = this.#ends.size > 0
    if (!this.#isWatching) return Effect.void
    const tickMs = Math.min(...Array.from(this.#ends.keys(), ({ submission: { leaseMs = Infinity } }) => leaseMs)) /
      looks
    const first = Math.min(...this.#ends.values()) - this.#now()
    const waitMs = Math.max(0, Math.min(tickMs, first))
    const due = this.#now() + waitMs
    return Effect.flatMap(Effect.sleep(waitMs), () => {
      this.#postpone(Math.max(0, this.#now() - due))
      this.#expire()
      return this.#watch
    })
  })

  #postpone(lateMs: number): void {
    for (const [job, end] of this.#ends) this.#ends.set(job, end + lateMs)
  }

  #expire(): void {
    const at = this.#now()
    for (const [job, end] of this.#ends) {
      if (end > at) continue
      this.#ends.delete(job)
      this.#onExpired(job)
    }
  }

  #now(): number {
    return now(this.#given.clock)
  }
}
