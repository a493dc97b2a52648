import * as Cause from "effect/Cause"
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import { errorText } from "../../base/errorText.ts"
import { OneShotLatch } from "../../base/oneShotLatch.ts"
import { notStarted } from "../fallbackResult.ts"
import type { Code, Launcher } from "../JobProcess.ts"
import type { ManagerOptions } from "../Manager.ts"
import type { JobResult, StopCommand, Submission } from "../models.ts"
import { ResultFiles } from "../resultFile.ts"
import type { ActiveJob } from "./activeJob.ts"
import { JobQueue } from "./jobQueue.ts"
import type { StopRequest } from "./jobState.ts"
import { launchAttempt } from "./launchAttempt.ts"
import { Leases } from "./leases.ts"
import { shutdownReason } from "./lostJob.ts"
import { nextDelay, restartDelay } from "./restartDelay.ts"
import { Slots } from "./slots.ts"
import type { StoreWriter } from "./storeWriter.ts"

/** The last moment of a `Date`, in milliseconds since 1970. */
const latestDate = 8_640_000_000_000_000

export interface SchedulerDependencies {
  readonly options: Pick<ManagerOptions, "concurrency" | "folder" | "limits" | "variables">
  readonly launcher: Launcher
  readonly clock: Clock.Clock
  readonly writer: StoreWriter
  readonly fork: (effect: Effect.Effect<void>) => unknown
  readonly codeOf: (submission: Submission) => Effect.Effect<Code, { readonly message: string }>
  /** Called when a job has stopped and its end is on disk. */
  readonly onFinished: (job: ActiveJob) => void
}

/** A job of an earlier manager, and the effect that waits for its result. */
export interface AdoptedJob {
  readonly job: ActiveJob
  readonly lostResult: (resultFile: string) => Effect.Effect<JobResult>
}

/** The time that the end of the last job has to be written to the store while the manager ends. */
const saveMs = 2_000

/** Takes jobs from the queue to their end, a limited number of them at once, and restarts those that ask for it. */
export class JobScheduler {
  /** The jobs leave the queue while this is `open`. */
  #state: "not begun" | "open" | "closing" = "not begun"
  /** Opens when the manager ends. */
  readonly #closing = new OneShotLatch()
  readonly #given: SchedulerDependencies
  readonly #queue = new JobQueue()
  readonly #leases: Leases
  readonly #results: ResultFiles
  readonly #slots = new Slots()
  /** Opens for each ended attempt when what follows is on disk. */
  readonly #settling = new Set<OneShotLatch>()

  constructor(given: SchedulerDependencies) {
    this.#given = given
    this.#results = new ResultFiles(given.options.folder)
    this.#leases = new Leases(given, (job) => this.stop(job, { reason: "its lease has expired: its client is gone" }))
  }

  get isClosing(): boolean {
    return this.#state === "closing"
  }

  /** The number of jobs that have a place. */
  get running(): number {
    return this.#slots.size
  }

  add(job: ActiveJob): void {
    this.#leases.renew(job)
    this.#enqueue(job)
    this.#fillSlots()
  }

  /** Takes over the jobs of an earlier manager. */
  adopt(jobs: ReadonlyArray<AdoptedJob>): void {
    const lost = jobs.filter(({ job }) => job.state._tag === "Lost")
    this.#results.keepOnly(lost.map(({ job }) => job.id))
    for (const { job } of jobs) {
      this.#leases.renew(job)
      if (job.state._tag !== "Lost") this.#enqueue(job)
    }
    for (const { job, lostResult } of lost) {
      this.#slots.takeLost(job)
      this.#given.fork(Effect.flatMap(lostResult(this.#results.of(job.id)), (result) => this.#end(job, result)))
    }
  }

  /** Starts queued jobs from now on. */
  begin(): void {
    if (this.#state === "not begun") this.#state = "open"
    this.#fillSlots()
  }

  renew(job: ActiveJob): void {
    this.#leases.renew(job)
  }

  /** Requests a stop. Returns true if the job has no process to wait for: its end is final once it is on disk. */
  stop(job: ActiveJob, command: StopCommand): boolean {
    return this.#requestStop(job, { by: "client", command })
  }

  /** Requests a stop of all jobs that have a slot. */
  stopAll(command: StopCommand): void {
    for (const job of this.#slots.jobs) this.stop(job, command)
  }

  /**
   * Starts no more jobs, stops those that run, and waits for them. Jobs to be restarted are queued on disk. What the store
   * does not take in time is left to the next manager.
   */
  get close(): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.#state = "closing"
      this.#closing.open()
      for (const job of this.#slots.jobs) {
        const { _tag } = job.state
        if (_tag !== "Starting" && _tag !== "Running" && _tag !== "Stopping") continue
        this.#requestStop(job, { by: "shutdown", command: { reason: shutdownReason } })
      }
      const { ended, free } = this.#slots.awaitAll()
      const saved = Effect.andThen(free, this.#settled)
      const saveElsewhere = Effect.andThen(Effect.sync(() => this.#given.writer.giveUp()), saved)
      return Effect.andThen(
        ended,
        Effect.timeoutOrElse(saved, { duration: saveMs, orElse: () => saveElsewhere })
      )
    })
  }

  /** Waits until all that has ended is on disk, also what ends meanwhile. */
  readonly #settled: Effect.Effect<void> = Effect.suspend(() => {
    const [settling] = this.#settling
    return settling === undefined ? Effect.void : Effect.andThen(settling.await, this.#settled)
  })

  #requestStop(job: ActiveJob, request: StopRequest): boolean {
    const before = job.state
    job.requestStop(request, (command) => this.#notStarted(job, "stopped", command.reason))
    switch (before._tag) {
      case "Waiting":
      case "Queued":
        this.#queue.remove(job)
        this.#given.fork(this.#settle(job))
        return true
      case "Starting":
      case "Running":
      case "Stopping":
        before.process.stop(request.command)
        return false
      case "Launching":
      case "Lost":
        return false
      case "Ending":
      case "Requeuing":
      case "Stopped":
        return true
    }
  }

  /** Puts a job into the queue, now or when its next attempt is due. */
  #enqueue(job: ActiveJob): void {
    const { clock, fork } = this.#given
    if (job.state._tag !== "Waiting") return this.#queue.add(job)
    const waitMs = Date.parse(job.state.next.restartsAt) - clock.currentTimeMillisUnsafe()
    fork(Effect.andThen(
      Effect.raceFirst(Effect.sleep(waitMs), job.finished.await),
      Effect.sync(() => {
        if (job.state._tag !== "Waiting") return
        job.due()
        this.#queue.add(job)
        this.#fillSlots()
      })
    ))
  }

  #fillSlots(): void {
    while (this.#freeSlots > 0) {
      const job = this.#queue.take((name) => this.#slots.running(name))
      if (job === undefined) break
      this.#slots.take(job)
      job.launch()
      this.#given.fork(this.#run(job))
    }
    this.#given.launcher.prepare(this.#freeSlots)
  }

  get #freeSlots(): number {
    return this.#state === "open" ? Math.max(0, this.#given.options.concurrency - this.#slots.size) : 0
  }

  /** Runs one attempt. A job without a process, when the manager ends, stays in the queue of the store. */
  #run(job: ActiveJob): Effect.Effect<void> {
    return Effect.raceFirst(
      Effect.map(Effect.exit(this.#given.codeOf(job.submission)), (code) => () => this.#launch(job, code)),
      Effect.map(this.#closing.await, () => () => this.#leave(job))
    ).pipe(Effect.flatMap((next) => next()))
  }

  /** Leaves a job to the next manager, unless a client has asked for its stop. */
  #leave(job: ActiveJob): Effect.Effect<void> {
    const { state } = job
    return state._tag === "Launching" && state.stop !== undefined
      ? this.#end(job, this.#notStarted(job, "stopped", state.stop.command.reason))
      : Effect.sync(() => this.#slots.free(job))
  }

  #launch(job: ActiveJob, found: Exit.Exit<Code, { readonly message: string }>): Effect.Effect<void> {
    if (this.isClosing) return this.#leave(job)
    const launched = Effect.flatMap(found, (code) =>
      Effect.try({
        try: () => launchAttempt(job, code, { ...this.#given, results: this.#results }),
        catch: (error) => ({ message: `its process could not be started: ${errorText(Cause.die(error))}` })
      }))
    return Effect.matchEffect(launched, {
      onSuccess: ({ ended }) => Effect.flatMap(ended, (result) => this.#end(job, result)),
      onFailure: ({ message }) => this.#end(job, this.#notStarted(job, "failed", message))
    })
  }

  #end(job: ActiveJob, result: JobResult): Effect.Effect<void> {
    return Effect.suspend(() => {
      job.end(result)
      this.#slots.ended(job)
      return this.#settle(job)
    })
  }

  /** Writes down what follows the end of an attempt, and then frees the slot. */
  #settle(job: ActiveJob): Effect.Effect<void> {
    return Effect.suspend(() => {
      const settled = new OneShotLatch()
      this.#settling.add(settled)
      return Effect.ensuring(
        Effect.andThen(this.#finishOrRestart(job), Effect.sync(() => this.#fillSlots())),
        Effect.sync(() => {
          this.#settling.delete(settled)
          settled.open()
        })
      )
    })
  }

  #finishOrRestart(job: ActiveJob): Effect.Effect<void> {
    return Effect.gen({ self: this }, function*() {
      const { clock, onFinished, writer } = this.#given
      const { restart } = job.submission
      yield* Effect.promise(() => job.log.flush())
      const failureDelayMs = restart && (yield* restartDelay(restart, job.failures, clock.currentTimeMillisUnsafe()))
      const { state } = job
      if (state._tag !== "Ending") return
      const { result } = state
      const delayMs = nextDelay(state, restart, failureDelayMs)
      if (delayMs === undefined) yield* writer.record(job, job.finish(result)).await
      else yield* writer.record(job, job.restart(result, this.#restartTime(delayMs))).await
      // the result is in the store now
      this.#results.remove(job.id)
      if (delayMs === undefined) onFinished(job)
      else this.#requeue(job)
      this.#slots.free(job)
    })
  }

  /** Queues a job whose restart is on disk, or ends it if a stop was requested meanwhile. */
  #requeue(job: ActiveJob): void {
    job.restartStored(
      this.#given.clock.currentTimeMillisUnsafe(),
      ({ reason }) => this.#notStarted(job, "stopped", reason)
    )
    // a stop was requested meanwhile
    if (job.state._tag === "Ending") this.#given.fork(this.#settle(job))
    else this.#enqueue(job)
  }

  #restartTime(delayMs: number) {
    const now = this.#given.clock.currentTimeMillisUnsafe()
    const at = new Date(now).toISOString()
    return delayMs === 0
      ? { at, delayMs }
      : { at, delayMs, restartsAt: new Date(Math.min(now + delayMs, latestDate)).toISOString() }
  }

  #notStarted(job: ActiveJob, trigger: "stopped" | "failed", reason: string | undefined): JobResult {
    const { id, name, info: { submittedAt } } = job
    return notStarted({
      id,
      job: name,
      trigger,
      reason,
      at: this.#now(),
      submittedAt: trigger === "stopped" ? submittedAt : undefined
    })
  }

  #now(): string {
    return new Date(this.#given.clock.currentTimeMillisUnsafe()).toISOString()
  }
}
