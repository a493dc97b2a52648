import type * as Fiber from "effect/Fiber"
import type * as Scheduler from "effect/Scheduler"

/**
 * The fibers of a job, detached ones too. Every fiber that inherits the job's context asks the scheduler before its
 * first step, which is where it is seen; nothing else tells of a detached fiber.
 */
export class Fibers implements Scheduler.Scheduler {
  readonly executionMode: "sync" | "async"
  readonly #scheduler: Scheduler.Scheduler
  readonly #begun: (fiber: Fiber.Fiber<unknown, unknown>) => void
  readonly #seen = new Set<Fiber.Fiber<unknown, unknown>>()

  /** `begun` is told of each fiber before its first step. */
  constructor(scheduler: Scheduler.Scheduler, begun: (fiber: Fiber.Fiber<unknown, unknown>) => void) {
    this.#scheduler = scheduler
    this.#begun = begun
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
    if (this.#seen.has(fiber)) return
    this.#seen.add(fiber)
    this.#begun(fiber)
    // at once: a fiber that has ended holds its result, which may be large
    fiber.addObserver(() => this.#seen.delete(fiber))
  }

  /** Those that have not ended. */
  alive(): ReadonlyArray<Fiber.Fiber<unknown, unknown>> {
    return [...this.#seen]
  }
}
