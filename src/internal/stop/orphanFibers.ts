import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type * as Scheduler from "effect/Scheduler"
import { elapsed, now } from "../../base/clock.ts"
import type { OneShotLatch } from "../../base/oneShotLatch.ts"
import { hasEnded, waitUnlessKilled } from "../../base/waits.ts"
import type { Leftover } from "../report/reportSchemas.ts"

type AnyFiber = Fiber.Fiber<unknown, unknown>

/**
 * The fibers of a job, including those that it detached. Every fiber that inherits the job's context asks the scheduler
 * before its first step, which is where it is seen: nothing else reports a detached fiber.
 */
export class JobFibers implements Scheduler.Scheduler {
  readonly executionMode: "sync" | "async"
  readonly #scheduler: Scheduler.Scheduler
  readonly #onBegin: (fiber: AnyFiber) => void
  #newest: AnyFiber | undefined
  readonly #older = new Set<AnyFiber>()
  readonly #watchers = new Map<AnyFiber, () => void>()

  /** `onBegin` is called with each fiber before its first step. */
  constructor(scheduler: Scheduler.Scheduler, onBegin: (fiber: AnyFiber) => void) {
    this.#scheduler = scheduler
    this.#onBegin = onBegin
    this.executionMode = scheduler.executionMode
  }

  /** The scheduler beneath it: that of whoever started the job. */
  get scheduler(): Scheduler.Scheduler {
    return this.#scheduler
  }

  shouldYield(fiber: AnyFiber): boolean {
    if (fiber.currentOpCount === 1) this.#see(fiber)
    return this.#scheduler.shouldYield(fiber)
  }

  makeDispatcher(): Scheduler.SchedulerDispatcher {
    return this.#scheduler.makeDispatcher()
  }

  /** Calls the listener each time that the fiber goes on after a wait. Returns a function that removes it. */
  readonly watch = (fiber: AnyFiber, onResume: () => void): () => void => {
    this.#watchers.set(fiber, onResume)
    return () => this.#watchers.delete(fiber)
  }

  #see(fiber: AnyFiber): void {
    if (this.#watchers.size > 0) this.#watchers.get(fiber)?.()
    if (fiber === this.#newest || this.#older.has(fiber)) return
    this.#rememberNewest()
    this.#newest = fiber
    this.#onBegin(fiber)
  }

  /** Most fibers end before the next one begins: only the others need to be remembered. */
  #rememberNewest(): void {
    const fiber = this.#newest
    this.#newest = undefined
    if (fiber === undefined || hasEnded(fiber)) return
    this.#older.add(fiber)
    // forgotten at once: a fiber that has ended holds its result, which may be large
    fiber.addObserver(() => this.#older.delete(fiber))
  }

  /** The fibers that have not ended. */
  alive(): ReadonlyArray<AnyFiber> {
    this.#rememberNewest()
    return [...this.#older]
  }
}

/** Interrupts the fibers that outlived their job, because nobody else does. Returns those that do not end as left over. */
export const interruptOrphans = (
  fibers: JobFibers,
  limitMs: number,
  options: { readonly clock: Clock.Clock; readonly killing: OneShotLatch }
): Effect.Effect<ReadonlyArray<Leftover>> =>
  Effect.suspend(() => {
    const orphans = fibers.alive()
    return orphans.length === 0 ? noLeftovers : interruptAll(orphans, limitMs, options)
  })

const noLeftovers = Effect.succeed([])

const interruptAll = (
  orphans: ReadonlyArray<AnyFiber>,
  limitMs: number,
  options: { readonly clock: Clock.Clock; readonly killing: OneShotLatch }
): Effect.Effect<ReadonlyArray<Leftover>> =>
  Effect.gen(function*() {
    for (const fiber of orphans) fiber.interruptUnsafe()
    const since = now(options.clock)
    for (const fiber of orphans) {
      yield* waitUnlessKilled(fiber, Math.max(0, limitMs - elapsed(options.clock, since)), options.killing)
    }
    const left = orphans.filter((fiber) => !hasEnded(fiber)).length
    if (left === 0) return []
    const detail = left === 1 ? "a detached fiber does not end" : `${left} detached fibers do not end`
    return [{ kind: "fiber", detail }]
  })
