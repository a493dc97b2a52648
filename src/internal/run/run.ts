import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Scheduler from "effect/Scheduler"
import * as Scope from "effect/Scope"
import * as Tracer from "effect/Tracer"
import { isoNow } from "../../base/clock.ts"
import { errorText } from "../../base/errorText.ts"
import { waitFor } from "../../base/waits.ts"
import { Environment } from "../../Environment.ts"
import { type AnyContract, type AnyImplementation, ServiceError } from "../../Job.ts"
import type { JobStatus } from "../../JobEvent.ts"
import { CurrentProcess, type FindLeftovers, noLeftovers, type ProcessContext } from "../../process/processContext.ts"
import { CurrentStages } from "../pipeline/currentStages.ts"
import { StageCounters } from "../pipeline/stageCounters.ts"
import type { PolicyError } from "../policy/policyError.ts"
import type { PolicyMillis } from "../policy/policyMillis.ts"
import { CurrentRegistry } from "../service/currentRegistry.ts"
import type { ServiceRecord } from "../service/serviceRecord.ts"
import { ServiceRegistry } from "../service/serviceRegistry.ts"
import { finalReport, outcomeOf } from "../stop/finalReport.ts"
import { JobFibers } from "../stop/orphanFibers.ts"
import { ServiceRelease } from "../stop/serviceRelease.ts"
import { type StoppableRun, type StopRecord, stopSequence } from "../stop/stopSequence.ts"
import { TimeBudget } from "../stop/timeBudget.ts"
import type { Autostop } from "./autostop.ts"
import { CurrentRun, type RunContext } from "./currentRun.ts"
import { fitted } from "./resultFit.ts"
import { safeLoggers } from "./safeLoggers.ts"
import { EventLog } from "./eventLog.ts"
import { RunTelemetry, unobserved } from "./runTelemetry.ts"
import { RunLifecycle, type RunResult, type StopRequest } from "./runState.ts"
import { CurrentWork, WorkUnits } from "./workUnits.ts"

export { type RunResult, type StopRequest } from "./runState.ts"

export interface RunOptions {
  readonly id: string
  readonly job: string
  /** The contract of the job, whose Schemas its result and its error have to fit; none for a program. */
  readonly contract?: AnyContract | undefined
  readonly environment: string
  readonly limits: PolicyMillis
  /** The keys of the limits that services among the job's own must have. */
  readonly limitedServices: ReadonlyArray<string>
  readonly autostop: Autostop
  readonly clock: Clock.Clock
  readonly scheduler: Scheduler.Scheduler
  /** Attaches the jobs within this one to their process. */
  readonly attach: ProcessContext["attach"]
  /** Finds the handles and processes that the job left behind, once all of it has been stopped. */
  readonly leftovers: FindLeftovers
}

type Main = Fiber.Fiber<unknown, unknown>

/** One run of a job, from submit to report. */
export class Run implements RunContext, StoppableRun {
  readonly options: RunOptions
  readonly lifecycle = new RunLifecycle()
  readonly budget: TimeBudget
  readonly stages: StageCounters
  readonly units: WorkUnits
  readonly registry: ServiceRegistry
  readonly releases: ServiceRelease
  readonly events = new EventLog()
  readonly fibers: JobFibers
  readonly scope = Scope.makeUnsafe()
  readonly startedAt: string
  #observation = unobserved

  constructor(options: RunOptions) {
    const { clock, id, job, limits, scheduler } = options
    const { lifecycle } = this
    this.options = options
    this.startedAt = isoNow(clock)
    this.budget = new TimeBudget(clock, limits)
    // a job within another one, or within a program, is not watched twice
    const beneath = scheduler instanceof JobFibers ? scheduler.scheduler : scheduler
    this.fibers = new JobFibers(beneath, (fiber) => this.registry.fiberBegins(fiber))
    this.stages = new StageCounters(clock, this.fibers.watch)
    this.units = new WorkUnits(this.stages)
    this.releases = new ServiceRelease({
      clock,
      limits,
      budget: this.budget,
      killing: lifecycle.killing,
      emit: this.events.emit,
      levelsBeneath: (record) => this.registry.levelsBeneath(record),
      onStopped: (record, event) => this.registry.onStopped(record, event),
      onMissed: () => {
        if (limits.onReleaseFailure === "kill") lifecycle.escalate("kill")
      }
    })
    this.registry = new ServiceRegistry({
      clock,
      limits,
      emit: this.events.emit,
      release: (record, exit) => this.releases.release(record, exit),
      isStopping: () => lifecycle.stopping.isOpen,
      onForgotten: this.events.forget,
      onFailure: (record, cause, phase) => {
        const error = serviceError(record, cause, phase)
        this.fail(Cause.fail(error), error.message)
      }
    })
    this.events.emit({ _tag: "JobSubmitted", at: this.startedAt, jobId: id, job })
  }

  get clock(): Clock.Clock {
    return this.options.clock
  }
  get limits(): PolicyMillis {
    return this.options.limits
  }
  get emit(): EventLog["emit"] {
    return this.events.emit
  }
  get leftovers(): RunOptions["leftovers"] {
    return this.options.leftovers
  }
  get status(): JobStatus {
    return this.lifecycle.status
  }
  get result(): RunResult | undefined {
    return this.lifecycle.result
  }
  get stopping() {
    return this.lifecycle.stopping
  }
  get cancelling() {
    return this.lifecycle.cancelling
  }
  get killing() {
    return this.lifecycle.killing
  }
  get stopped() {
    return this.lifecycle.stopped
  }
  readonly cancel = (): void => this.lifecycle.escalate("cancel")
  readonly kill = (): void => this.lifecycle.escalate("kill")

  /** Asks for a stop. The first request names the trigger; a later, harsher one overtakes it. */
  stop(request: StopRequest, failure?: Cause.Cause<unknown>): void {
    const { mode, reason, trigger, withinMs } = request
    const begin = (isFirst: boolean) => {
      const deadlineMs = isFirst ? this.budget.start(withinMs) : this.budget.remaining()
      const why = reason === undefined ? {} : { reason }
      const limit = deadlineMs === Infinity ? {} : { deadlineMs }
      this.emit({ _tag: "StopRequested", at: isoNow(this.clock), trigger, mode, ...why, ...limit })
    }
    this.lifecycle.stop(request, begin, {
      ...(failure === undefined ? {} : { failure }),
      urgency: this.limits.strategy === "immediate" ? "kill" : mode
    })
  }

  /** Ends the job as failed because of something else than its run. */
  fail(cause: Cause.Cause<unknown>, reason: string): void {
    this.stop({ trigger: "failed", mode: "cancel", reason }, cause)
  }

  /** Starts the services and the run, and stops them in the end. Returns at once. */
  start(implementation: AnyImplementation, payload: unknown, context: Context.Context<never>): void {
    this.#observation = Context.get(context, RunTelemetry)(this, context)
    const own = this.#ownContext(context)
    const main = Effect.runForkWith(own)(Effect.andThen(Effect.yieldNow, this.#main(implementation, payload)))
    main.addObserver((exit) => this.#ended(exit))
    // the limits go by the clock of the run, whatever the clock of its program is
    const isOwnClock = Context.get(own, Clock.Clock) === this.clock
    const fork = Effect.runForkWith(isOwnClock ? own : Context.add(own, Clock.Clock, this.clock))
    fork(Effect.uninterruptible(Effect.map(stopSequence(this, main), (stop) => this.#conclude(stop, main))))
    fork(this.registry.watchStarts(this.stopping))
    const { autostop } = this.options
    if (autostop._tag === "after") {
      fork(Effect.map(waitFor(this.stopping, autostop.ms), (why) => {
        if (why === "time") {
          this.stop({ trigger: "deadline", mode: "drain", reason: `it ran for ${autostop.ms} ms` })
        }
      }))
    }
    if (autostop._tag === "idle") fork(this.#watchIdle(autostop.ms))
  }

  /**
   * Returns what this job keeps of the context of its submitter. The job or program around it watches neither its fibers nor
   * its stop, because the report of this job says what they have left.
   */
  #ownContext(context: Context.Context<never>): Context.Context<never> {
    const own = withoutServices(context)
    const { scheduler } = this.fibers
    return scheduler === this.options.scheduler ? own : Context.add(own, Scheduler.Scheduler, scheduler)
  }

  #main(implementation: AnyImplementation, payload: unknown): Effect.Effect<unknown, unknown> {
    return Effect.contextWith((submitter: Context.Context<never>) => {
      // a stop that came before the first acquire must not be missed
      if (this.stopping.isOpen) return Effect.interrupt
      // safe: a job is only made of a layer without requirements of its own
      const services = (implementation.services ?? Layer.empty) as Layer.Layer<never, unknown>
      // the outermost layer has what no layer within it has, such as the finalizers of `Layer.tap` and `Layer.fresh`
      const outermost = services === Layer.empty ? services : Layer.suspend(() => services)
      const build = Layer.buildWithMemoMap(outermost, this.registry.memoMap(), this.scope)
      const context = flat(Context.merge(submitter, this.#references(submitter)))
      return Effect.flatMap(within(context, build), (built) => {
        const misnamed = this.registry.misnamedLimit(this.options.limitedServices)
        if (misnamed !== undefined) return Effect.fail(limitError(misnamed))
        this.registry.layersBuilt()
        this.lifecycle.run()
        this.stages.active()
        this.emit({ _tag: "RunStarted", at: isoNow(this.clock) })
        // safe: the payload was checked against the job's Schema, and the services are those that `run` needs
        const run = Effect.suspend(() => implementation.run(payload as never)) as Effect.Effect<unknown, unknown>
        const scoped = Effect.scoped(run)
        const { contract } = this.options
        const result = contract === undefined ? scoped : fitted(contract, scoped)
        const running = Context.add(context, CurrentWork, "run")
        const span = this.#observation.run()
        return within(
          withAll(built, span === undefined ? running : Context.add(running, Tracer.ParentSpan, span)),
          result
        )
      })
    })
  }

  /** Returns the references that make a fiber one of this job's. */
  #references(submitter: Context.Context<never>): Context.Context<never> {
    const span = this.#observation.job()
    const references = this.#ownReferences(submitter)
    return span === undefined ? references : Context.add(references, Tracer.ParentSpan, span)
  }

  #ownReferences(submitter: Context.Context<never>): Context.Context<never> {
    return Context.add(this.#observation.references, CurrentRun, this).pipe(
      Context.add(Logger.CurrentLoggers, safeLoggers(Context.get(submitter, Logger.CurrentLoggers))),
      Context.add(CurrentRegistry, this.registry),
      Context.add(CurrentStages, this.stages),
      // a job within a unit of another one is no part of it
      Context.add(CurrentWork, "service"),
      Context.add(Scheduler.Scheduler, this.fibers),
      // what is left in the process does not belong to a job within this one
      Context.add(CurrentProcess, { leftovers: noLeftovers, attach: this.options.attach })
    )
  }

  #ended(exit: Exit.Exit<unknown, unknown>): void {
    const outcome = exit._tag === "Success" ? "succeeded" : Cause.hasInterruptsOnly(exit.cause) ? "cancelled" : "failed"
    const error = exit._tag === "Success" || outcome === "cancelled" ? {} : { error: errorText(exit.cause) }
    this.emit({ _tag: "RunEnded", at: isoNow(this.clock), outcome, ...error })
    if (this.options.autostop._tag === "never" && this.registry.isServing) return
    if (exit._tag === "Success") return this.stop({ trigger: "completed", mode: "drain" })
    const failed = this.registry.isStarting ? this.registry.startFailure : undefined
    if (failed === undefined) return this.stop({ trigger: "failed", mode: "drain", reason: errorText(exit.cause) })
    const failure = serviceError(failed.record, failed.cause, "start")
    this.stop({ trigger: "failed", mode: "drain", reason: failure.message }, Cause.fail(failure))
  }

  #watchIdle(ms: number): Effect.Effect<void> {
    return Effect.suspend(() => {
      const left = () => ms - this.stages.idleMs
      return Effect.flatMap(waitFor(this.stopping, this.#isBusy ? ms : left()), (why) => {
        if (why !== "time") return Effect.void
        if (this.#isBusy || left() > 0) return this.#watchIdle(ms)
        this.stop({ trigger: "idle", mode: "drain", reason: `no source emitted for ${ms} ms` })
        return Effect.void
      })
    })
  }

  /** A source is not idle if nobody waits for it because its consumers are at work, nor is a job that works at a unit. */
  get #isBusy(): boolean {
    return this.lifecycle.state._tag === "Starting" || this.stages.isBusy || this.units.isBusy
  }

  /** A service that could not start or that died is the failure of the run, whatever it did to the run. */
  exit(main: Main): Exit.Exit<unknown, unknown> {
    const exit = main.pollUnsafe()
    if (exit?._tag === "Success") return exit
    const { failure } = this.lifecycle
    return failure === undefined ? exit ?? Exit.interrupt() : Exit.failCause(failure)
  }

  #conclude(stop: StopRecord, main: Main): void {
    const { lifecycle, options, registry, stages, startedAt } = this
    const { state } = lifecycle
    // a stop sequence runs only once a stop has begun
    if (state._tag !== "Stopping") return
    const exit = this.exit(main)
    const outcome = outcomeOf(exit, state.failure, stop.wasInterrupted)
    const report = finalReport(stop, {
      jobId: options.id,
      job: options.job,
      environment: options.environment,
      trigger: state.request.trigger,
      reason: state.request.reason,
      outcome,
      startedAt,
      stoppedAt: isoNow(this.clock),
      stages: stages.report(),
      services: registry.report()
    })
    lifecycle.conclude({ exit, report })
    this.emit({ _tag: "JobStopped", at: report.stoppedAt, outcome, clean: report.clean })
    this.events.close()
    lifecycle.announce()
  }
}

/**
 * The context that a job keeps of its submitter: the clock, the loggers and the like, not the services. Often it is empty,
 * and then nothing has to be merged each time that the finalizer of a layer runs in its own context.
 */
const withoutServices: (context: Context.Context<never>) => Context.Context<never> = Context.omit(
  Environment,
  CurrentProcess,
  Layer.CurrentMemoMap,
  Scope.Scope
)

/** Returns a context whose values lie in one map: each service adds its own, and Effect copies all once they are too many. */
const flat = (context: Context.Context<never>): Context.Context<never> => Context.makeUnsafe(context.mapUnsafe)

/** Adds the values of a context to one that may have many, and is not copied for that: a job may have thousands of services. */
const withAll = (many: Context.Context<never>, few: Context.Context<never>): Context.Context<never> => {
  let context = many
  for (const [key, value] of few.mapUnsafe) context = Context.addUnsafe(context, key, value)
  return context
}

const within = <A, E>(context: Context.Context<never>, effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  Effect.updateContext(effect, () => context)

/** The error for a limit that is meant for a service which this job does not have. */
const limitError = (cause: PolicyError): ServiceError =>
  new ServiceError({ service: cause.setting, phase: "start", message: cause.message, cause })

const serviceError = (record: ServiceRecord, cause: Cause.Cause<unknown>, phase: "start" | "run"): ServiceError => {
  const message = `service "${record.name}" ${phase === "start" ? "could not start" : "failed"}: ${errorText(cause)}`
  return new ServiceError({ service: record.name, phase, message, cause: Cause.squash(cause) })
}
