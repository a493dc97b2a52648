import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import { type Leftover, type Outcome, type Phase, type PhaseReport, StopReport } from "../../StopReport.ts"
import { errorText } from "../../base/errorText.ts"
import { type Waited, waitFor, waitWithin } from "./waits.ts"
import { isRunning } from "../service/serviceState.ts"
import { hasEnded, type Run } from "../run/run.ts"
import { elapsed, isoNow, now } from "../../base/clock.ts"

/** What a stop has found out so far. */
interface Progress {
  readonly run: Run
  readonly main: Fiber.Fiber<unknown, unknown>
  readonly phases: Array<PhaseReport>
  readonly leftovers: Array<Leftover>
  interrupted: boolean
}

/**
 * Waits for the first request to stop, then: delay → drain → cancel → release → kill → stopped. It runs on a fiber
 * that nobody interrupts, waits for nothing without a limit, and never fails.
 */
export const stopSequence = (run: Run, main: Fiber.Fiber<unknown, unknown>): Effect.Effect<void> =>
  Effect.gen(function*() {
    yield* run.stopping.await
    const stop: Progress = { run, main, phases: [], leftovers: [], interrupted: false }
    const { strategy } = run.options.limits
    if (strategy === "immediate") run.registry.releases.killed.open()
    yield* delay(stop)
    yield* drain(stop)
    yield* cancel(stop)
    yield* release(stop)
    yield* kill(stop)
    yield* reap(stop)
    yield* conclude(stop)
  })

/** Runs a phase and notes how long it took. */
const phase = (stop: Progress, name: Phase, body: Effect.Effect<boolean>): Effect.Effect<void> =>
  Effect.suspend(() => {
    const { clock } = stop.run.options
    const since = now(clock)
    stop.run.events.emit({ _tag: "PhaseStarted", at: isoNow(clock), phase: name })
    return Effect.map(body, (timedOut) => notePhase(stop, { phase: name, durationMs: elapsed(clock, since), timedOut }))
  })

const notePhase = ({ phases, run }: Progress, report: PhaseReport): void => {
  phases.push(report)
  run.events.emit({ _tag: "PhaseEnded", at: isoNow(run.options.clock), ...report })
}

/** What a phase before the release may take: its own limit, or what the deadline leaves, less the release's reserve. */
const allowance = ({ run }: Progress, own: number): number => {
  const { deadline, killTimeout, releaseTimeout } = run.options.limits
  const reserve = deadline === Infinity ? 0 : Math.min(releaseTimeout + killTimeout, deadline / 2)
  return Math.max(0, Math.min(own, run.registry.allowances.remaining() - reserve))
}

/** Whether the run may still go on: it has not ended, and nobody asked for more than a drain. */
const isGentle = ({ main, run }: Progress): boolean =>
  !hasEnded(main) && !run.cancelled.isOpen && !run.registry.releases.killed.isOpen

const waitForMain = (stop: Progress, ms: number): Effect.Effect<Waited> =>
  waitFor(stop.main, allowance(stop, ms), stop.run.cancelled, stop.run.registry.releases.killed)

const delay = (stop: Progress): Effect.Effect<void> =>
  Effect.suspend(() => {
    const ms = stop.run.options.limits.delay
    if (ms === 0 || !isGentle(stop)) return Effect.void
    return phase(stop, "delay", Effect.as(waitForMain(stop, ms), false))
  })

const drain = (stop: Progress): Effect.Effect<void> =>
  Effect.suspend(() => {
    const { options, stages } = stop.run
    if (options.limits.strategy === "fast" || !isGentle(stop) || stages.flowing === 0) return Effect.void
    return phase(
      stop,
      "drain",
      Effect.suspend(() => {
        stages.drain.open()
        return Effect.map(waitForMain(stop, options.limits.drainTimeout), (why) => why === "time")
      })
    )
  })

const cancel = (stop: Progress): Effect.Effect<void> =>
  Effect.suspend(() => {
    if (hasEnded(stop.main)) return Effect.void
    return phase(
      stop,
      "cancel",
      Effect.suspend(() => {
        const { limits } = stop.run.options
        stop.interrupted = true
        stop.run.cancelled.open()
        stop.main.interruptUnsafe()
        return Effect.map(
          waitWithin(stop.main, allowance(stop, limits.cancelTimeout), stop.run.registry.releases.killed),
          (why) => why !== "ended"
        )
      })
    )
  })

/**
 * Closes the scope of the layers, which releases dependents before what they depend on, each service within its own
 * limit. A finalizer that is not a service's has no limit: when nothing else moves, the services it keeps are released
 * without waiting for it.
 */
const release = (stop: Progress): Effect.Effect<void> =>
  Effect.suspend(() => {
    const { registry, scope } = stop.run
    registry.admission = "closed"
    // a service whose layer was provided within a run that does not end is in no scope of ours
    if (scope.state._tag !== "Open" && registry.unended === 0) return Effect.void
    return phase(
      stop,
      "release",
      Effect.withFiber((fiber) => {
        const exit = exitOf(stop)
        const close = Effect.runForkWith(fiber.context)(Scope.close(scope, exit))
        return Effect.flatMap(watchRelease(stop, close), (ended) => {
          const done = close.pollUnsafe()
          if (done === undefined) {
            stop.leftovers.push({ kind: "finalizer", detail: "a layer that is not managed is still being released" })
          } else if (done._tag === "Failure") {
            stop.leftovers.push({ kind: "finalizer", detail: `a layer that is not managed: ${errorText(done.cause)}` })
          }
          return Effect.map(registry.sweep(exit), () => !ended || registry.releases.missed || registry.unended > 0)
        })
      })
    )
  })

const watchRelease = (stop: Progress, close: Fiber.Fiber<unknown, unknown>): Effect.Effect<boolean> =>
  Effect.suspend(() => {
    const { registry } = stop.run
    const patience = stop.run.options.limits.releaseTimeout
    registry.releases.lastProgress = now(stop.run.options.clock)
    const watch: Effect.Effect<boolean> = Effect.suspend(() =>
      Effect.flatMap(
        waitWithin(close, Math.min(patience, registry.allowances.remaining()), registry.releases.killed),
        (why) => {
          if (why === "ended") return Effect.succeed(true)
          const stalled = registry.releases.underWay === 0 &&
            now(stop.run.options.clock) - registry.releases.lastProgress >= patience
          return stalled || registry.allowances.remaining() <= 0 || registry.releases.killed.isOpen
            ? Effect.map(
              Effect.andThen(registry.sweep(exitOf(stop)), waitFor(close, 0)),
              () => hasEnded(close)
            )
            : watch
        }
      )
    )
    return watch
  })

/**
 * What lives elsewhere was killed as its limit passed, whatever else was still being released: this phase tells how long
 * the longest kill took. In process nothing can be killed: what has not ended is abandoned, by name.
 */
const kill = (stop: Progress): Effect.Effect<void> =>
  Effect.suspend(() => {
    const { registry } = stop.run
    if (registry.unended === 0) {
      if (registry.releases.killMs > 0) {
        notePhase(stop, { phase: "kill", durationMs: registry.releases.killMs, timedOut: false })
      }
      return Effect.void
    }
    return phase(
      stop,
      "kill",
      Effect.sync(() => {
        registry.releases.killed.open()
        return false
      })
    )
  })

/** Interrupts the fibers that the job detached: nobody else does. Those that do not end are left over. */
const reap = (stop: Progress): Effect.Effect<void> =>
  Effect.gen(function*() {
    const { fibers, options, registry } = stop.run
    const strays = fibers.alive()
    // where something is still running by name, its fibers are no news
    if (strays.length === 0 || !hasEnded(stop.main) || registry.records.some(isRunning)) return
    for (const fiber of strays) fiber.interruptUnsafe()
    const limit = Math.min(options.limits.killTimeout, registry.allowances.remaining())
    const since = now(options.clock)
    for (const fiber of strays) {
      yield* waitWithin(fiber, Math.max(0, limit - elapsed(options.clock, since)), registry.releases.killed)
    }
    const left = strays.filter((fiber) => !hasEnded(fiber)).length
    if (left === 0) return
    const detail = left === 1 ? "a detached fiber does not end" : `${left} detached fibers do not end`
    stop.leftovers.push({ kind: "fiber", detail })
  })

const conclude = (stop: Progress): Effect.Effect<void> =>
  Effect.gen(function*() {
    const { main, run } = stop
    const { clock, environment, id, job } = run.options
    if (!hasEnded(main)) stop.leftovers.push({ kind: "run", detail: "the run did not end when it was interrupted" })
    stop.leftovers.push(...run.registry.hungAcquires())
    run.registry.conclude()
    run.stages.conclude()
    stop.leftovers.push(...run.registry.leftovers(), ...yield* run.options.leftovers)
    const outcome = outcomeOf(stop)
    const services = run.registry.report()
    const reason = run.request?.reason === undefined ? {} : { reason: run.request.reason }
    const report = StopReport.trusted({
      jobId: id,
      job,
      environment,
      trigger: run.request?.trigger ?? "stopped",
      ...reason,
      outcome,
      clean: StopReport.isClean({ services, leftovers: stop.leftovers }),
      startedAt: run.startedAt,
      stoppedAt: isoNow(clock),
      phases: stop.phases,
      stages: run.stages.report(),
      services,
      leftovers: stop.leftovers
    })
    run.result = { exit: exitOf(stop), report }
    run.status = "stopped"
    run.events.emit({ _tag: "JobStopped", at: report.stoppedAt, outcome, clean: report.clean })
    run.events.close()
    run.stopped.open()
  })

const outcomeOf = (stop: Progress): Outcome => {
  const exit = exitOf(stop)
  if (exit._tag === "Success") return "succeeded"
  if (stop.run.failure !== undefined) return "failed"
  return stop.interrupted || Cause.hasInterruptsOnly(exit.cause) ? "cancelled" : "failed"
}

/** How the run ended: a service that could not start or that died is its failure, whatever it did to the run. */
const exitOf = ({ main, run }: Progress): Exit.Exit<unknown, unknown> => {
  const exit = main.pollUnsafe()
  if (exit?._tag === "Success") return exit
  if (run.failure !== undefined) return Exit.failCause(run.failure)
  return exit ?? Exit.interrupt()
}
