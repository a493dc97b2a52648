import type * as Fiber from "effect/Fiber"
import type * as Scheduler from "effect/Scheduler"

/** How many fibers may be remembered before those that have ended are forgotten. */
const fewest = 64

/**
 * The fibers of a job, detached ones too. Every fiber that inherits the job's context asks the scheduler before its
 * first step, which is where it is seen; nothing else tells of a detached fiber.
 */
export class Fibers implements Scheduler.Scheduler {
  readonly executionMode: "sync" | "async"
  readonly #scheduler: Scheduler.Scheduler
  readonly #seen = new Set<Fiber.Fiber<unknown, unknown>>()
  #limit = fewest

  constructor(scheduler: Scheduler.Scheduler) {
    this.#scheduler = scheduler
    this.executionMode = scheduler.executionMode
  }

  shouldYield(fiber: Fiber.Fiber<unknown, unknown>): boolean {
    if (fiber.currentOpCount === 1) this.#see(fiber)
    return this.#scheduler.shouldYield(fiber)
  }

  makeDispatcher(): Scheduler.SchedulerDispatcher {
    return this.#scheduler.makeDispatcher()
  }

  #see(fiber: Fiber.Fiber<unknown, unknown>): void {
    this.#seen.add(fiber)
    if (this.#seen.size < this.#limit) return
    this.alive()
    this.#limit = Math.max(fewest, 2 * this.#seen.size)
  }

  /** Those that have not ended. */
  alive(): ReadonlyArray<Fiber.Fiber<unknown, unknown>> {
    for (const fiber of this.#seen) {
      if (fiber.pollUnsafe() !== undefined) this.#seen.delete(fiber)
    }
    return [...this.#seen]
  }
}
