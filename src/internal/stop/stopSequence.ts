/**
 * The stop of a job: delay → drain → cancel → release → kill → stopped. Each phase stands in this file, in this order, and
 * asks the part of the job that it stops by one call.
 */
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import type * as Clock from "effect/Clock"
import { elapsed, isoNow, now } from "../../base/clock.ts"
import type { OneShotLatch } from "../../base/oneShotLatch.ts"
import { hasEnded, type Waited, waitFor, waitUnlessKilled } from "../../base/waits.ts"
import type { JobEvent } from "../../JobEvent.ts"
import type { FindLeftovers } from "../../process/processContext.ts"
import type { PolicyMillis } from "../policy/policyMillis.ts"
import type { Leftover, Phase, PhaseReport } from "../report/reportSchemas.ts"
import type { ServiceRegistry } from "../service/serviceRegistry.ts"
import { interruptOrphans, type JobFibers } from "./orphanFibers.ts"
import { releaseServices } from "./releaseServices.ts"
import type { ServiceRelease } from "./serviceRelease.ts"
import type { TimeBudget } from "./timeBudget.ts"

/** The run of a job, as its stop sees it. */
export interface StoppableRun {
  readonly clock: Clock.Clock
  readonly limits: PolicyMillis
  readonly budget: TimeBudget
  /** The pipelines of the job. */
  readonly stages: {
    /** `true` while streams run that have a source. */
    readonly isFlowing: boolean
    /** Ends the sources. */
    readonly drain: () => void
    /** Counts as dropped what a run that does not end still holds. */
    readonly conclude: () => void
  }
  /** The units of work of the job. */
  readonly units: {
    readonly isBusy: boolean
    /** Opens once no unit runs. */
    readonly idle: OneShotLatch
    /** Says which units may begin: those of the run, those within a unit, or none. */
    readonly admit: (admission: "run" | "unit" | "none") => void
  }
  readonly registry: ServiceRegistry
  readonly releases: ServiceRelease
  readonly fibers: JobFibers
  /** The scope of the job's layers. */
  readonly scope: Scope.Closeable
  readonly emit: (event: JobEvent) => void
  /** Opens when the stop begins. */
  readonly stopping: OneShotLatch
  /** Opens when the run is to be interrupted. */
  readonly cancelling: OneShotLatch
  /** Opens when nothing may be waited for any longer. */
  readonly killing: OneShotLatch
  readonly cancel: () => void
  readonly kill: () => void
  /** Returns the exit of the run: the one it has, or the one it would have if it were interrupted now. */
  readonly exit: (main: Fiber.Fiber<unknown, unknown>) => Exit.Exit<unknown, unknown>
  /** Finds the handles and processes that the job left behind, once all of it has been stopped, and ends the processes. */
  readonly leftovers: FindLeftovers
}

/** The result of a stop. */
export interface StopRecord {
  readonly phases: ReadonlyArray<PhaseReport>
  readonly leftovers: ReadonlyArray<Leftover>
  /** `true` if the run had to be interrupted. */
  readonly wasInterrupted: boolean
}

/** A stop under way. */
class Stop {
  readonly run: StoppableRun
  readonly main: Fiber.Fiber<unknown, unknown>
  readonly phases: Array<PhaseReport> = []
  readonly leftovers: Array<Leftover> = []

  constructor(run: StoppableRun, main: Fiber.Fiber<unknown, unknown>) {
    this.run = run
    this.main = main
  }

  /** `true` as long as nobody asks for more than a drain. */
  get isGentle(): boolean {
    return !this.run.cancelling.isOpen && !this.run.killing.isOpen
  }

  /** Waits for the run or its units, within a limit, unless somebody asks for more than a drain meanwhile. */
  await(target: Fiber.Fiber<unknown, unknown> | OneShotLatch, limitMs: number): Effect.Effect<Waited> {
    const { cancelling, killing } = this.run
    return waitFor(target, limitMs, cancelling, killing)
  }

  /** Runs a phase within this limit. Its body returns true if it timed out. */
  phase(phase: Phase, limitMs: number, body: Effect.Effect<boolean>): Effect.Effect<void> {
    return Effect.suspend(() => {
      const { clock, emit } = this.run
      const since = now(clock)
      const started = { _tag: "PhaseStarted", at: isoNow(clock), phase } as const
      emit(limitMs === Infinity ? started : { ...started, limitMs })
      return Effect.map(body, (timedOut) => this.endPhase({ phase, durationMs: elapsed(clock, since), timedOut }))
    })
  }

  endPhase(report: PhaseReport): void {
    this.phases.push(report)
    this.run.emit({ _tag: "PhaseEnded", at: isoNow(this.run.clock), ...report })
  }
}

/**
 * Waits for the first request to stop and stops the job. Runs on a fiber that nobody interrupts, waits for nothing without
 * a limit, and never fails.
 */
export const stopSequence = (run: StoppableRun, main: Fiber.Fiber<unknown, unknown>): Effect.Effect<StopRecord> =>
  Effect.gen(function*() {
    yield* run.stopping.await
    const stop = new Stop(run, main)
    yield* delay(stop)
    yield* drain(stop)
    const wasInterrupted = yield* cancel(stop)
    yield* release(stop)
    yield* kill(stop)
    yield* interruptFibers(stop)
    yield* collectLeftovers(stop)
    return { phases: stop.phases, leftovers: stop.leftovers, wasInterrupted }
  })

/** The job reports that it is stopping, and goes on. */
const delay = (stop: Stop): Effect.Effect<void> =>
  Effect.suspend(() => {
    const { budget, limits } = stop.run
    if (limits.delay === 0 || hasEnded(stop.main) || !stop.isGentle) return Effect.void
    const limit = budget.forPhase(limits.delay)
    return stop.phase("delay", limit, Effect.as(stop.await(stop.main, limit), false))
  })

/**
 * Sources end, and what they had emitted flows on to the sinks; units of work end. The run is waited for if a source flows,
 * or if the policy says so. Otherwise it is not: it may be a server, which does not end by itself.
 */
const drain = (stop: Stop): Effect.Effect<void> =>
  Effect.suspend(() => {
    const { budget, limits, registry, stages, units } = stop.run
    if (limits.strategy === "fast" || !stop.isGentle) return Effect.void
    const mayRunOn = !hasEnded(stop.main) && (stages.isFlowing || (limits.drain === "run" && !registry.isStarting))
    if (!mayRunOn && !units.isBusy) return Effect.void
    const limit = budget.forPhase(limits.drainTimeout)
    return stop.phase("drain", limit, awaitWork(stop, mayRunOn, limit))
  })

/** Waits for the run, if that may go on, and for the units. Returns true if that took too long. */
const awaitWork = (stop: Stop, mayRunOn: boolean, limitMs: number): Effect.Effect<boolean> =>
  Effect.gen(function*() {
    const { clock, stages, units } = stop.run
    const since = now(clock)
    units.admit(mayRunOn ? "run" : "unit")
    stages.drain()
    if (mayRunOn) {
      const why = yield* stop.await(stop.main, limitMs)
      if (why !== "ended") return why === "time"
      units.admit("unit")
    }
    const why = yield* stop.await(units.idle, Math.max(0, limitMs - elapsed(clock, since)))
    if (why !== "ended") return why === "time"
    units.admit("none")
    // a run that only waited for its last unit, or to begin another one, ends by itself
    yield* waitFor(stop.main, 0)
    return false
  })

/** The run is interrupted and awaited. Returns true if there was something to interrupt. */
const cancel = (stop: Stop): Effect.Effect<boolean> =>
  Effect.suspend(() => {
    const { main, run } = stop
    run.units.admit("none")
    if (hasEnded(main)) return Effect.succeed(false)
    const limit = run.budget.forPhase(run.limits.cancelTimeout)
    const interrupted = Effect.suspend(() => {
      run.cancel()
      run.registry.interrupt()
      main.interruptUnsafe()
      return Effect.map(waitUnlessKilled(main, limit, run.killing), (why) => why !== "ended")
    })
    return Effect.as(stop.phase("cancel", limit, interrupted), true)
  })

/** The services are released: dependents before their dependencies, each within its own limit. */
const release = (stop: Stop): Effect.Effect<void> =>
  Effect.suspend(() => {
    const { budget, registry, scope } = stop.run
    registry.adoptHung()
    registry.close()
    // a service that a run provided which does not end is in none of the job's scopes
    if (scope.state._tag !== "Open" && !registry.hasUnstopped) return Effect.void
    const released = releaseServices(stop.run, () => stop.run.exit(stop.main))
    return stop.phase(
      "release",
      budget.remaining(),
      Effect.map(released, ({ leftovers, timedOut }) => {
        stop.leftovers.push(...leftovers)
        return timedOut
      })
    )
  })

/**
 * Hosts were killed as their limits passed, while other services were still being released: this phase reports how long
 * the longest kill took. In process nothing can be killed: a service that has not stopped is abandoned, by name.
 */
const kill = (stop: Stop): Effect.Effect<void> =>
  Effect.suspend(() => {
    const { kill, registry, releases } = stop.run
    if (registry.hasUnstopped) return stop.phase("kill", Infinity, Effect.as(Effect.sync(kill), false))
    if (releases.longestKillMs > 0) {
      stop.endPhase({ phase: "kill", durationMs: releases.longestKillMs, timedOut: false })
    }
    return Effect.void
  })

/** Fibers that the run detached are interrupted. */
const interruptFibers = (stop: Stop): Effect.Effect<void> =>
  Effect.suspend(() => {
    const { budget, fibers, limits, registry } = stop.run
    // while a run or a service is still there by name, its fibers need no mention
    if (!hasEnded(stop.main) || registry.isAnyRunning) return Effect.void
    return Effect.map(
      interruptOrphans(fibers, budget.forRest(limits.killTimeout), stop.run),
      (leftovers) => void stop.leftovers.push(...leftovers)
    )
  })

/** Gives every service its last state, and names what is left over. */
const collectLeftovers = (stop: Stop): Effect.Effect<void> =>
  Effect.suspend(() => {
    const { budget, killing, leftovers, limits, registry, releases, stages } = stop.run
    if (!hasEnded(stop.main)) {
      stop.leftovers.push({ kind: "run", detail: "the run did not end when it was interrupted" })
    }
    stop.leftovers.push(...registry.hungAcquires())
    for (const record of registry.unstopped()) releases.conclude(record)
    stages.conclude()
    stop.leftovers.push(...registry.leftovers())
    const patience = { limitMs: budget.forRest(limits.killTimeout), isUrgent: () => killing.isOpen }
    return Effect.map(leftovers(patience), (left) => void stop.leftovers.push(...left))
  })
