import type * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import type { JobEvent } from "../../JobEvent.ts"
import type { ServiceOutcome } from "../../StopReport.ts"
import type { Allowances } from "./timeBudget.ts"
import { errorText } from "../../base/errorText.ts"
import type { PolicyMillis } from "../policy/policyMillis.ts"
import { OneShotLatch } from "../../base/oneShotLatch.ts"
import { waitFor, waitWithin } from "./waits.ts"
import { awaitSettled, type Remote, type ServiceRecord, settle } from "../service/serviceState.ts"
import { between, elapsed, isoAt, now } from "../../base/clock.ts"

export type ServiceStopped = Extract<JobEvent, { readonly _tag: "ServiceStopped" }>

export interface ReleasesOptions {
  readonly clock: Clock.Clock
  readonly limits: PolicyMillis
  readonly allowances: Allowances
  readonly emit: (event: JobEvent) => void
  /** A service has ended, whichever way. */
  readonly onStopped: (record: ServiceRecord, stopped: ServiceStopped) => void
}

/** The releases of a job's services, each within its own limit, whatever the others do. */
export class Releases {
  /** Opens when nothing may be waited for any longer. */
  readonly killed = new OneShotLatch()
  /** Whether a release has missed its limit. */
  missed = false
  /** How many releases are under way, and when one last began or ended: what a stalled release is told by. */
  underWay = 0
  lastProgress = 0
  /** How long the longest kill took. */
  killMs = 0
  readonly #options: ReleasesOptions
  readonly #permits: Semaphore.Semaphore | undefined

  constructor(options: ReleasesOptions) {
    this.#options = options
    const { releaseConcurrency } = options.limits
    this.#permits = releaseConcurrency === "unbounded" ? undefined : Semaphore.makeUnsafe(releaseConcurrency)
  }

  /**
   * Closes the scope of a service, within its limit. Never fails, and once it has begun nothing interrupts it; a second
   * call waits for the first.
   */
  release(record: ServiceRecord, exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> {
    return Effect.withFiber((fiber) => {
      if (record.cleanupCalled) return awaitSettled(record)
      record.cleanupCalled = true
      if (this.#permits === undefined) return this.#close(record, exit, fiber.context)
      const close = Effect.suspend(() => this.#close(record, exit, fiber.context))
      return Effect.uninterruptible(this.#permits.withPermits(1)(close))
    })
  }

  #close(
    record: ServiceRecord,
    exit: Exit.Exit<unknown, unknown>,
    context: Context.Context<never>
  ): Effect.Effect<void> {
    const { clock, emit } = this.#options
    const since = now(clock)
    record.state = { _tag: "releasing", since }
    if (record.initialized) emit({ _tag: "ServiceReleasing", at: isoAt(clock, since), service: record.name })
    else record.error ??= "its start was given up"
    if (record.remote !== undefined) record.allowance = this.#options.allowances.of(record)
    const closing = Scope.closeUnsafe(record.scope, exit)
    // the close runs on a fiber of its own: nothing else bounds a wait for it
    const cleanup = closing === undefined ? undefined : Effect.runForkWith(context)(closing)
    const done = cleanup?.pollUnsafe()
    if (cleanup === undefined || (done !== undefined && record.remote === undefined)) {
      this.#ended(record, since, done, false)
      return Effect.void
    }
    return this.#awaitCleanup(record, since, cleanup)
  }

  #awaitCleanup(record: ServiceRecord, since: number, cleanup: Fiber.Fiber<unknown, unknown>): Effect.Effect<void> {
    record.cleanup = cleanup
    this.#progress(1)
    const wait = Effect.flatMap(waitWithin(cleanup, this.#options.allowances.of(record), this.killed), (why) => {
      this.#progress(-1)
      if (why === "ended") {
        const ended = Effect.sync(() => this.#ended(record, since, cleanup.pollUnsafe(), false))
        return record.remote === undefined
          ? ended
          : Effect.andThen(record.remote.end(this.#options.allowances.remaining()), ended)
      }
      record.state = { _tag: "overdue", since }
      this.missed = true
      if (record.remote !== undefined) return this.#kill(record, record.remote, since, cleanup)
      this.#abandon(record, since, cleanup)
      return Effect.void
    })
    return Effect.uninterruptible(wait)
  }

  /** What can be killed is, and those that wait for this release go on once it is gone. */
  #kill(
    record: ServiceRecord,
    remote: Remote,
    since: number,
    cleanup: Fiber.Fiber<unknown, unknown>
  ): Effect.Effect<void> {
    const late = `it did not stop within ${Math.round(elapsed(this.#options.clock, since))} ms`
    return Effect.flatMap(remote.kill, ({ durationMs, gone, how }) => {
      this.killMs = Math.max(this.killMs, durationMs)
      record.error = `${record.error === undefined ? "" : `${record.error}; `}${late}; ` +
        (gone ? `killed (${how})` : `it could not be killed (${how})`)
      if (gone) this.stop(record, record.initialized ? "killed" : "start-failed", since)
      // its cleanup waited for nothing but the end of its hosts
      return Effect.map(gone ? waitFor(cleanup, 1_000) : Effect.void, () => {
        settle(record)
        this.#missed()
      })
    })
  }

  /** Those that wait for this release go on, and it may still end by itself. */
  #abandon(record: ServiceRecord, since: number, cleanup: Fiber.Fiber<unknown, unknown>): void {
    cleanup.addObserver((exit) => this.#ended(record, since, exit, true))
    settle(record)
    this.#missed()
  }

  /** The cleanup of a service has ended; there is no exit where there was nothing to clean up. */
  #ended(
    record: ServiceRecord,
    since: number,
    exit: Exit.Exit<unknown, unknown> | undefined,
    overdue: boolean
  ): void {
    if (record.state._tag === "stopped") return
    const failed = exit !== undefined && exit._tag === "Failure"
    record.cleanupCompleted = !failed
    if (failed) {
      const error = errorText(exit.cause)
      record.error = record.error === undefined || record.error === error ? error : `${record.error}; ${error}`
    }
    const outcome = !record.initialized
      ? "start-failed"
      : failed
      ? "release-failed"
      : overdue
      ? "timed-out"
      : "released"
    this.stop(record, outcome, since)
    settle(record)
    if (failed) this.#missed()
  }

  /** Gives a service its last word. */
  stop(record: ServiceRecord, outcome: ServiceOutcome, since: number): void {
    const { clock, emit, onStopped } = this.#options
    const until = now(clock)
    const releaseMs = between(since, until)
    record.state = { _tag: "stopped", outcome, releaseMs }
    const ended = { _tag: "ServiceStopped", at: isoAt(clock, until), service: record.name, outcome, releaseMs } as const
    const stopped = record.error === undefined ? ended : { ...ended, error: record.error }
    emit(stopped)
    onStopped(record, stopped)
  }

  #missed(): void {
    const { allowances, limits } = this.#options
    if (limits.onReleaseFailure === "kill" && allowances.end !== Infinity) this.killed.open()
  }

  #progress(change: 1 | -1): void {
    this.underWay += change
    this.lastProgress = now(this.#options.clock)
  }
}
