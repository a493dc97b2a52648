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
  #newest: Fiber.Fiber<unknown, unknown> | undefined
  readonly #older = new Set<Fiber.Fiber<unknown, unknown>>()

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
    if (fiber === this.#newest || this.#older.has(fiber)) return
    this.#remember()
    this.#newest = fiber
    this.#begun(fiber)
  }

  /** Most fibers end before the next one begins: only the others need to be remembered. */
  #remember(): void {
    const fiber = this.#newest
    this.#newest = undefined
    if (fiber === undefined || fiber.pollUnsafe() !== undefined) return
    this.#older.add(fiber)
    // at once: a fiber that has ended holds its result, which may be large
    fiber.addObserver(() => this.#older.delete(fiber))
  }

  /** Those that have not ended. */
  alive(): ReadonlyArray<Fiber.Fiber<unknown, unknown>> {
    this.#remember()
    return [...this.#older]
  }
}
