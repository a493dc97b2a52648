import * as Effect from "effect/Effect"
import { OneShotLatch } from "../../base/oneShotLatch.ts"
import type { ActiveJob } from "./activeJob.ts"

/** A place for a job that runs. */
class Slot {
  /** Opens when the process of the job has ended, or will not be started. */
  readonly ended = new OneShotLatch()
  /** Opens when what follows is on disk. */
  readonly free = new OneShotLatch()
}

/** The places for the jobs of a manager that run. */
export class Slots {
  readonly #taken = new Map<ActiveJob, Slot>()
  /** The jobs of an earlier manager whose processes may still run: each of them takes the place of a slot. */
  readonly #lost = new Set<ActiveJob>()

  /** The number of places that are taken. */
  get size(): number {
    return this.#taken.size + this.#lost.size
  }

  /** The jobs that this manager has started. */
  get jobs(): ReadonlyArray<ActiveJob> {
    return [...this.#taken.keys()]
  }

  /** Returns the number of jobs of this name that run. */
  running(name: string): number {
    let count = 0
    for (const job of this.#taken.keys()) if (job.name === name) count++
    for (const job of this.#lost) if (job.name === name) count++
    return count
  }

  take(job: ActiveJob): void {
    this.#taken.set(job, new Slot())
  }

  /** Takes a place for a job of an earlier manager. */
  takeLost(job: ActiveJob): void {
    this.#lost.add(job)
  }

  /** The process of a job has ended. */
  ended(job: ActiveJob): void {
    this.#taken.get(job)?.ended.open()
  }

  /** The place of a job is free: all that follows its end is on disk, or will not come. */
  free(job: ActiveJob): void {
    this.ended(job)
    const slot = this.#taken.get(job)
    this.#taken.delete(job)
    this.#lost.delete(job)
    slot?.free.open()
  }

  /** Returns two waits for the jobs that this manager has started by now: for their processes, and for what follows. */
  awaitAll(): { readonly ended: Effect.Effect<void>; readonly free: Effect.Effect<void> } {
    const slots = [...this.#taken.values()]
    return {
      ended: awaitEach(slots.map(({ ended }) => ended)),
      free: awaitEach(slots.map(({ free }) => free))
    }
  }
}

const awaitEach = (latches: ReadonlyArray<OneShotLatch>): Effect.Effect<void> =>
  Effect.forEach(latches, (latch) => latch.await, { concurrency: "unbounded", discard: true })
