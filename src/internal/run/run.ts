import * as Cause from "effect/Cause"
import type * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Scheduler from "effect/Scheduler"
import * as Scope from "effect/Scope"
import { Environment } from "../../Environment.ts"
import { type AnyImplementation, ServiceError } from "../../Job.ts"
import type { JobStatus, StopMode } from "../../JobEvent.ts"
import type { Leftover, StopReport, Trigger } from "../../StopReport.ts"
import { CurrentRun, type RunContext } from "./currentRun.ts"
import { errorText } from "../../base/errorText.ts"
import { EventLog } from "./eventLog.ts"
import { Fibers } from "../stop/orphanFibers.ts"
import type { PolicyMillis } from "../policy/policyMillis.ts"
import { OneShotLatch } from "../../base/oneShotLatch.ts"
import { waitFor } from "../stop/waits.ts"
import { CurrentProcess, type ProcessContext } from "../../process/processContext.ts"
import { Registry } from "../service/serviceRegistry.ts"
import type { ServiceRecord } from "../service/serviceState.ts"
import { Stages } from "../pipeline/stageCounters.ts"
import { stopSequence } from "../stop/stopSequence.ts"
import { isoNow, now } from "../../base/clock.ts"

export type Autostop =
  | { readonly _tag: "end" }
  | { readonly _tag: "never" }
  | { readonly _tag: "idle"; readonly ms: number }
  | { readonly _tag: "after"; readonly ms: number }

export interface StopRequest {
  readonly trigger: Trigger
  readonly mode: StopMode
  readonly reason?: string | undefined
  /** How much of the deadline there is, in milliseconds; all of it by default. */
  readonly withinMs?: number | undefined
}

export interface RunOptions {
  readonly id: string
  readonly job: string
  readonly environment: string
  readonly limits: PolicyMillis
  readonly autostop: Autostop
  readonly clock: Clock.Clock
  readonly scheduler: Scheduler.Scheduler
  /** Attaches the jobs within this one to their process. */
  readonly attach: ProcessContext["attach"]
  /** What is left of the job in the operating system, once all of it has been stopped. */
  readonly leftovers: Effect.Effect<ReadonlyArray<Leftover>>
}

export interface RunResult {
  readonly exit: Exit.Exit<unknown, unknown>
  readonly report: StopReport
}

const severity: Readonly<Record<StopMode, number>> = { drain: 0, cancel: 1, kill: 2 }

/** One run of a job, from submit to report. Its status only moves forward, and `stopped` is final. */
export class Run implements RunContext {
  readonly options: RunOptions
  readonly registry: Registry
  readonly stages: Stages
  readonly events = new EventLog()
  /** All of its fibers. */
  readonly fibers: Fibers
  /** The scope of the job's layers. */
  readonly scope = Scope.makeUnsafe()
  /** Opens when the stop begins. */
  readonly stopping = new OneShotLatch()
  /** Opens when the run is to be interrupted. */
  readonly cancelled = new OneShotLatch()
  /** Opens when the result is there. */
  readonly stopped = new OneShotLatch()
  readonly startedAt: string
  status: JobStatus = "starting"
  request: StopRequest | undefined
  result: RunResult | undefined
  /** Why the job failed, where it was not its run that did. */
  failure: Cause.Cause<unknown> | undefined

  constructor(options: RunOptions) {
    this.options = options
    this.startedAt = isoNow(options.clock)
    this.stages = new Stages(options.clock)
    this.fibers = new Fibers(options.scheduler, (fiber) => this.registry.supervisor.begun(fiber))
    this.registry = new Registry({
      clock: options.clock,
      limits: options.limits,
      emit: this.events.emit,
      onForgotten: this.events.forget,
      onFailure: (record, cause, phase) => {
        const error = serviceError(record, cause, phase)
        this.fail(Cause.fail(error), error.message)
      }
    })
    this.events.emit({ _tag: "JobSubmitted", at: this.startedAt, jobId: options.id, job: options.job })
  }

  /** Asks for a stop. The first request names the trigger; a later, harsher one overtakes it. */
  stop(request: StopRequest): void {
    if (this.status === "stopped") return
    const harsher = this.request === undefined || severity[request.mode] > severity[this.request.mode]
    if (!harsher) return
    this.request = this.request === undefined ? request : { ...this.request, mode: request.mode }
    const reason = request.reason === undefined ? {} : { reason: request.reason }
    const { mode, trigger } = request
    this.events.emit({ _tag: "StopRequested", at: isoNow(this.options.clock), trigger, mode, ...reason })
    if (this.status !== "stopping") {
      this.status = "stopping"
      this.registry.allowances.end = now(this.options.clock) +
        Math.min(this.options.limits.deadline, request.withinMs ?? Infinity)
    }
    this.stopping.open()
    if (severity[mode] >= severity.cancel) this.cancelled.open()
    if (mode === "kill") this.registry.releases.killed.open()
  }

  /** Ends the job as failed, by something else than its run. */
  fail(cause: Cause.Cause<unknown>, reason: string): void {
    if (this.status === "stopped") return
    this.failure ??= cause
    this.stop({ trigger: "failed", mode: "cancel", reason })
  }

  /** Starts the services and the run, and sees to the stop. Returns at once. */
  start(implementation: AnyImplementation, payload: unknown, context: Context.Context<never>): void {
    const fork = Effect.runForkWith(withoutServices(context))
    const main = fork(Effect.andThen(Effect.yieldNow, this.#main(implementation, payload)))
    main.addObserver((exit) => this.#ended(exit))
    fork(Effect.uninterruptible(stopSequence(this, main)))
    fork(this.registry.startLimits.watch(this.stopping))
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

  #main(implementation: AnyImplementation, payload: unknown): Effect.Effect<unknown, unknown> {
    return Effect.contextWith((submitter: Context.Context<never>) => {
      // no notice may pass between a stop and the first acquire
      if (this.stopping.isOpen) return Effect.interrupt
      // safe: a job is only made of a layer without requirements of its own
      const services = (implementation.services ?? Layer.empty) as Layer.Layer<never, unknown>
      const build = Layer.buildWithMemoMap(services, this.registry.graph.memoMap(), this.scope)
      return Effect.flatMap(within(this.#add(submitter), build), (built) => {
        this.registry.admission = "nested"
        this.registry.graph.sealed = true
        if (this.status === "starting") this.status = "running"
        this.stages.active()
        this.events.emit({ _tag: "RunStarted", at: isoNow(this.options.clock) })
        // safe: the payload was checked against the job's Schema, and the services are those that `run` needs
        const run = Effect.suspend(() => implementation.run(payload as never)) as Effect.Effect<unknown, unknown>
        // services may be many: they are added to, not copied
        return within(this.#add(Context.merge(submitter, built)), Effect.scoped(run))
      })
    })
  }

  /** Adds what makes a fiber one of this job's. */
  #add(context: Context.Context<never>): Context.Context<never> {
    return context.pipe(
      Context.add(CurrentRun, this),
      Context.add(Scheduler.Scheduler, this.fibers),
      // what is left in the process is no business of a job within this one
      Context.add(CurrentProcess, { leftovers: Effect.succeed([]), attach: this.options.attach })
    )
  }

  #ended(exit: Exit.Exit<unknown, unknown>): void {
    const outcome = exit._tag === "Success" ? "succeeded" : Cause.hasInterruptsOnly(exit.cause) ? "cancelled" : "failed"
    const error = exit._tag === "Success" || outcome === "cancelled" ? {} : { error: errorText(exit.cause) }
    this.events.emit({ _tag: "RunEnded", at: isoNow(this.options.clock), outcome, ...error })
    if (this.options.autostop._tag === "never" && this.registry.admission === "nested") return
    const failed = this.registry.admission === "open" ? this.registry.lastStartFailure : undefined
    if (exit._tag === "Failure" && failed !== undefined) {
      const error = serviceError(failed.record, failed.cause, "start")
      this.failure ??= Cause.fail(error)
      this.stop({ trigger: "failed", mode: "drain", reason: error.message })
      return
    }
    if (exit._tag === "Success") this.stop({ trigger: "completed", mode: "drain" })
    else this.stop({ trigger: "failed", mode: "drain", reason: errorText(exit.cause) })
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

  /** A source that nobody waits for, because its consumers are at work, is not idle. */
  get #isBusy(): boolean {
    return this.status === "starting" || this.stages.busy
  }
}

/**
 * What a job keeps of the context that it is submitted in: the clock, the loggers and the like, not the services. Often
 * nothing is left, and then there is nothing to merge each time that a layer's finalizer runs in its own context.
 */
const withoutServices: (context: Context.Context<never>) => Context.Context<never> = Context.omit(
  Environment,
  CurrentProcess,
  Layer.CurrentMemoMap
)

const within = <A, E>(context: Context.Context<never>, effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  Effect.updateContext(effect, () => context)

const serviceError = (record: ServiceRecord, cause: Cause.Cause<unknown>, phase: "start" | "run"): ServiceError => {
  const message = `service "${record.name}" ${phase === "start" ? "could not start" : "failed"}: ${errorText(cause)}`
  return new ServiceError({ service: record.name, phase, message, cause: Cause.squash(cause) })
}

/** How a run is told from a fiber that has not ended. */
export const hasEnded = (fiber: Fiber.Fiber<unknown, unknown>): boolean => fiber.pollUnsafe() !== undefined
