import type * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import { between, elapsed, isoAt, isoNow, now } from "../../base/clock.ts"
import { errorText } from "../../base/errorText.ts"
import type { OneShotLatch } from "../../base/oneShotLatch.ts"
import type { JobEvent } from "../../JobEvent.ts"
import type { PolicyMillis } from "../policy/policyMillis.ts"
import type { ServiceOutcome } from "../report/reportSchemas.ts"
import { isActive, type ServiceHosts, type ServiceRecord } from "../service/serviceRecord.ts"
import * as State from "../service/serviceState.ts"
import type { TimeBudget } from "./timeBudget.ts"
import { waitFor, waitUnlessKilled } from "../../base/waits.ts"

export type ServiceStopped = Extract<JobEvent, { readonly _tag: "ServiceStopped" }>

export interface ServiceReleaseOptions {
  readonly clock: Clock.Clock
  readonly limits: PolicyMillis
  readonly budget: TimeBudget
  /** Opens when nothing may be waited for any longer. */
  readonly killing: OneShotLatch
  readonly emit: (event: JobEvent) => void
  /** Returns the number of levels of services beneath one that have not stopped. */
  readonly levelsBeneath: (record: ServiceRecord) => number
  /** A service has ended, however it did. */
  readonly onStopped: (record: ServiceRecord, event: ServiceStopped) => void
  /** A release failed or missed its limit. */
  readonly onMissed: () => void
}

/** Releases the services of a job, each within its own limit, whatever the others do. */
export class ServiceRelease {
  readonly #options: ServiceReleaseOptions
  readonly #permits: Semaphore.Semaphore | undefined
  #missed = false
  #underWay = 0
  /** The time at which a release last began or ended. */
  #lastProgress = 0
  #longestKillMs = 0

  constructor(options: ServiceReleaseOptions) {
    this.#options = options
    const { releaseConcurrency } = options.limits
    this.#permits = releaseConcurrency === "unbounded" ? undefined : Semaphore.makeUnsafe(releaseConcurrency)
  }

  /** `true` if a release has missed its limit. */
  get missedLimit(): boolean {
    return this.#missed
  }

  /** The duration of the longest kill, in milliseconds. */
  get longestKillMs(): number {
    return this.#longestKillMs
  }

  /** Returns for how long no release has been under way, from this time on; 0 while one is. */
  stalledMs(from: number): number {
    return this.#underWay > 0 ? 0 : elapsed(this.#options.clock, Math.max(from, this.#lastProgress))
  }

  /**
   * Begins to close the scope of a service, in this turn, and returns the wait for it, within its limit. Never fails, and
   * nothing interrupts it. A second call waits for the first one.
   */
  release(record: ServiceRecord, exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> {
    const { state } = record
    if (state._tag !== "Starting" && state._tag !== "Running") return record.awaitSettled()
    const context = Fiber.getCurrent()?.context ?? Context.empty()
    if (this.#permits === undefined) return this.#close(record, state, exit, context)
    const waiting = State.queued(state)
    record.become(waiting)
    const close = Effect.suspend(() => this.#close(record, waiting, exit, context))
    return Effect.uninterruptible(this.#permits.withPermits(1)(close))
  }

  /** Ends the life of a service that was never released, or whose release nobody waits for any longer. */
  conclude(record: ServiceRecord): void {
    const { state } = record
    if (state._tag === "Stopped") return
    const since = "since" in state ? state.since : now(this.#options.clock)
    this.#stop(record, state, State.wasRunning(state) ? "abandoned" : "start-failed", since)
  }

  #close(
    record: ServiceRecord,
    from: State.Starting | State.Running | State.Queued,
    exit: Exit.Exit<unknown, unknown>,
    context: Context.Context<never>
  ): Effect.Effect<void> {
    const { clock, emit } = this.#options
    const since = now(clock)
    const limitMs = this.#limitOf(record, since)
    const state = State.releasing(from, since, limitMs)
    record.become(state)
    if (state.wasRunning) {
      const releasing = { _tag: "ServiceReleasing", at: isoAt(clock, since), service: record.name } as const
      emit(limitMs === Infinity ? releasing : { ...releasing, limitMs })
    } else record.error ??= "its start was given up"
    const closing = Scope.closeUnsafe(record.scope, exit)
    // the scope closes on a fiber of its own: nothing else bounds a wait for it
    const cleanup = closing === undefined ? undefined : Effect.runForkWith(context)(closing)
    const done = cleanup?.pollUnsafe()
    if (cleanup === undefined || (done !== undefined && record.hosts === undefined)) {
      this.#ended(record, state, done)
      return Effect.void
    }
    return this.#awaitCleanup(record, State.awaitingCleanup(state, cleanup), cleanup)
  }

  #limitOf(record: ServiceRecord, at: number): number {
    const { budget, levelsBeneath } = this.#options
    return budget.forRelease({
      at,
      releaseTimeout: record.settings.releaseTimeout,
      canBeKilled: record.hosts !== undefined,
      levelsBeneath: levelsBeneath(record)
    })
  }

  #awaitCleanup(record: ServiceRecord, state: State.Releasing, cleanup: State.Cleanup): Effect.Effect<void> {
    const { budget, clock, emit, killing } = this.#options
    record.become(state)
    this.#progress(1)
    const began = now(clock)
    // its first turn may have taken long
    const limitMs = Math.min(state.limitMs, this.#limitOf(record, began))
    const wait = Effect.flatMap(waitUnlessKilled(cleanup, limitMs, killing), (why) => {
      this.#progress(-1)
      if (why === "ended") {
        const ended = Effect.sync(() => this.#ended(record, state, cleanup.pollUnsafe()))
        return record.hosts === undefined ? ended : Effect.andThen(record.hosts.end(budget.remaining()), ended)
      }
      if (!killing.isOpen) {
        budget.addLateness(limitMs, elapsed(clock, began))
        emit({ _tag: "ServiceOverdue", at: isoNow(clock), service: record.name, limitMs })
      }
      this.#missed = true
      if (record.hosts !== undefined) return this.#kill(record, record.hosts, state, cleanup)
      this.#abandon(record, state, cleanup)
      return Effect.void
    })
    return Effect.uninterruptible(wait)
  }

  /** Kills the hosts of a service. Those that wait for its release go on once the hosts are gone. */
  #kill(
    record: ServiceRecord,
    hosts: ServiceHosts,
    from: State.Releasing,
    cleanup: State.Cleanup
  ): Effect.Effect<void> {
    const { clock, onMissed } = this.#options
    const late = `it did not stop within ${Math.round(elapsed(clock, from.since))} ms`
    const state = State.killing(from, cleanup)
    record.become(state)
    return Effect.flatMap(hosts.kill, ({ durationMs, gone, how }) => {
      this.#longestKillMs = Math.max(this.#longestKillMs, durationMs)
      record.error = `${record.error === undefined ? "" : `${record.error}; `}${late}; ` +
        (gone ? `killed (${how})` : `it could not be killed (${how})`)
      const until = now(clock)
      if (!gone) {
        record.become(State.overdue(state, cleanup))
        record.wakeDependencies()
        onMissed()
        return Effect.void
      }
      // the cleanup waited for nothing but the end of the hosts
      return Effect.map(waitFor(cleanup, 1_000), () => {
        const outcome = state.wasRunning ? "killed" : "start-failed"
        this.#stop(record, state, outcome, from.since, isActive(cleanup) ? cleanup : "failed", until)
        record.wakeDependencies()
        onMissed()
      })
    })
  }

  /** Gives up the wait for a release, which may still end by itself. */
  #abandon(record: ServiceRecord, from: State.Releasing, cleanup: State.Cleanup): void {
    const state = State.overdue(from, cleanup)
    record.become(state)
    cleanup.addObserver((exit) => this.#ended(record, state, exit))
    record.wakeDependencies()
    this.#options.onMissed()
  }

  /** The cleanup of a service has ended. `exit` is undefined if there was nothing to clean up. */
  #ended(
    record: ServiceRecord,
    from: State.Releasing | State.Overdue,
    exit: Exit.Exit<unknown, unknown> | undefined
  ): void {
    if (record.hasStopped) return
    // a finalizer that calls `process.exit` fails, too: what it would have done after the call is not done
    const failed = exit !== undefined && exit._tag === "Failure"
    if (failed) {
      const error = errorText(exit.cause)
      record.error = record.error === undefined || record.error === error ? error : `${record.error}; ${error}`
    }
    const outcome = !from.wasRunning
      ? "start-failed"
      : failed
      ? "release-failed"
      : from._tag === "Overdue"
      ? "timed-out"
      : "released"
    this.#stop(record, from, outcome, from.since, failed ? "failed" : "completed")
    record.wakeDependencies()
    if (failed) this.#options.onMissed()
  }

  #stop(
    record: ServiceRecord,
    from: State.Before<"Stopped">,
    outcome: ServiceOutcome,
    since: number,
    cleanup: State.Stopped["cleanup"] = cleanupOf(from),
    until = now(this.#options.clock)
  ): void {
    const { clock, emit, onStopped } = this.#options
    const releaseMs = between(since, until)
    record.become(State.stopped(from, outcome, releaseMs, cleanup))
    const ended = { _tag: "ServiceStopped", at: isoAt(clock, until), service: record.name, outcome, releaseMs } as const
    const event = record.error === undefined ? ended : { ...ended, error: record.error }
    emit(event)
    onStopped(record, event)
  }

  #progress(change: 1 | -1): void {
    this.#underWay += change
    this.#lastProgress = now(this.#options.clock)
  }
}

/** Returns the state of a cleanup that nobody waits for any longer. */
const cleanupOf = (state: State.Before<"Stopped">): State.Stopped["cleanup"] => {
  if (!("cleanup" in state) || state.cleanup === undefined) return "uncalled"
  const exit = state.cleanup.pollUnsafe()
  return exit === undefined ? state.cleanup : exit._tag === "Failure" ? "failed" : "completed"
}
