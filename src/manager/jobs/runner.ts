import * as Cause from "effect/Cause"
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { readdirSync, rmSync } from "node:fs"
import { basename, join } from "node:path"
import { errorText } from "../../base/errorText.ts"
import { OneShotLatch } from "../../base/oneShotLatch.ts"
import type { Code, JobProcess, Launcher } from "../JobProcess.ts"
import { Leases } from "./leases.ts"
import type { LiveJob } from "./liveJob.ts"
import type { ManagerOptions } from "../Manager.ts"
import type { JobResult, StopCommand, Submission } from "../models.ts"
import { JobQueue } from "./jobQueue.ts"
import { endLost } from "./recovery.ts"
import { hasFailed, restartDelay } from "./restart.ts"
import type { Saver } from "./saver.ts"
import { notBegun } from "./unreported.ts"
import { partOf } from "../process/protocol.ts"

/** Why a job is stopped with its manager. */
const closing = "the job manager is being stopped"

export interface Running {
  readonly options: Pick<ManagerOptions, "concurrency" | "folder" | "limits">
  readonly launcher: Launcher
  readonly clock: Clock.Clock
  readonly saver: Saver
  readonly fork: (effect: Effect.Effect<void>) => unknown
}

/** Who has the jobs that are run. */
export interface Owner {
  readonly codeOf: (submission: Submission) => Effect.Effect<Code, { readonly message: string }>
  /** A job has stopped, and that is on disk. */
  readonly onEnd: (job: LiveJob) => void
}

/** Runs jobs, so many at once, from the queue until they have stopped for good. */
export class Runner {
  isClosing = false
  /** Until it begins, what is queued waits. */
  #hasBegun = false
  readonly #given: Running
  readonly #owner: Owner
  readonly #queue = new JobQueue()
  readonly #leases: Leases
  /** What has ended and is not on disk yet. */
  readonly #endings = new Set<OneShotLatch>()
  /** Those that run, are about to, or have just ended: each has one of the places there are. */
  readonly #running = new Set<LiveJob>()

  constructor(given: Running, owner: Owner) {
    this.#given = given
    this.#owner = owner
    this.#leases = new Leases(given, (job, reason) => this.stop(job, { reason }))
  }

  add(job: LiveJob): void {
    this.#leases.renew(job)
    this.#enqueue(job)
    this.#startNext()
  }

  /** Takes on the jobs of a manager before this one. */
  recover(jobs: ReadonlyArray<LiveJob>): void {
    const { fork } = this.#given
    this.#sweep(jobs)
    for (const job of jobs) {
      this.#leases.renew(job)
      if (job.info.state === "queued") this.#enqueue(job)
      else {
        // it was killed while it was being stopped
        job.isPaused = job.info.reason === closing
        fork(Effect.flatMap(endLost(job, this.#resultFile(job)), (result) => this.#end(job, result)))
      }
    }
  }

  /** Starts what is queued, and from now on what is added. */
  begin(): void {
    this.#hasBegun = true
    this.#startNext()
  }

  /** The lease of the job, if it has one, lasts from now on. */
  renew(job: LiveJob): void {
    this.#leases.renew(job)
  }

  /** Whether that is all, and it stops for good as soon as that is on disk. */
  stop(job: LiveJob, command: StopCommand): boolean {
    job.asked = command
    job.isPaused = false
    if (job.isEnding) return true
    if (job.process !== undefined) {
      job.process.stop(command)
      return false
    }
    // it has not begun: there is nothing to stop but its place in the queue
    if (this.#queue.remove(job.info.id) === undefined && !job.isWaiting) return false
    job.isWaiting = false
    const { id, job: name, submittedAt } = job.info
    const times = { startedAt: submittedAt, stoppedAt: this.#now() }
    const result = notBegun({ id, job: name, trigger: "stopped", reason: command.reason, ...times })
    this.#given.fork(this.#end(job, result))
    return true
  }

  /** Stops all that run. */
  stopAll(command: StopCommand): void {
    for (const job of this.#running) this.stop(job, command)
  }

  /** Starts no more jobs, stops those that run, and waits for them. Those that are to begin again are queued on disk. */
  get close(): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.isClosing = true
      const running = [...this.#running]
      for (const job of running) {
        if (job.isEnding) continue
        const isPaused = job.asked === undefined
        this.stop(job, { reason: closing })
        job.isPaused = isPaused
      }
      const rested = Effect.forEach(running, ({ rested }) => rested.await, { concurrency: "unbounded", discard: true })
      return Effect.andThen(rested, this.#ended)
    })
  }

  /** Waits for what has ended to be on disk, and for those whose stop was asked for meanwhile. */
  readonly #ended: Effect.Effect<void> = Effect.suspend(() => {
    const [ending] = this.#endings
    return ending === undefined ? Effect.void : Effect.andThen(ending.await, this.#ended)
  })

  /** Puts a job into the queue, once its time has come. */
  #enqueue(job: LiveJob): void {
    const { clock, fork } = this.#given
    const { restartsAt } = job.info
    const waitMs = restartsAt === undefined ? 0 : Date.parse(restartsAt) - clock.currentTimeMillisUnsafe()
    if (waitMs <= 0) return this.#queue.add(job)
    job.isWaiting = true
    fork(Effect.andThen(
      Effect.raceFirst(Effect.sleep(waitMs), job.finished.await),
      Effect.sync(() => {
        if (!job.isWaiting) return
        job.isWaiting = false
        this.#queue.add(job)
        this.#startNext()
      })
    ))
  }

  #startNext(): void {
    while (this.#hasBegun && !this.isClosing && this.#running.size < this.#given.options.concurrency) {
      const running = [...this.#running]
      const job = this.#queue.take((name) => running.filter(({ info }) => info.job === name).length)
      if (job === undefined) return
      this.#running.add(job)
      job.rested = new OneShotLatch()
      this.#given.fork(this.#start(job))
    }
  }

  #start(job: LiveJob): Effect.Effect<void> {
    const launched = Effect.flatMap(this.#owner.codeOf(job.submission), (code) =>
      Effect.try({
        try: () => this.#launch(job, code),
        catch: (error) => ({ message: `its process could not be started: ${errorText(Cause.die(error))}` })
      }))
    return Effect.matchEffect(launched, {
      onSuccess: ({ ended }) => Effect.flatMap(ended, (result) => this.#end(job, result)),
      onFailure: ({ message }) => {
        const { id, job: name } = job.info
        return this.#end(job, notBegun({ id, job: name, trigger: "failed", reason: message }))
      }
    })
  }

  #launch(job: LiveJob, code: Code): JobProcess {
    const { launcher, options: { limits }, saver } = this.#given
    const { asked, info: { id }, submission } = job
    const resultFile = this.#resultFile(job)
    this.#discard(job)
    const process = launcher.start({
      id,
      submission,
      code,
      limits: {
        memory: lower(submission.memory, limits.memory),
        timeMs: lower(submission.timeMs, limits.timeMs)
      },
      resultFile,
      onEvent: (event) => {
        job.take(event)
        saver.changed(job)
      },
      onStages: (stages) => void (job.stages = stages),
      onOutput: (stream, text) => job.log.add(stream, text, this.#now())
    })
    job.process = process
    job.begin(this.#now(), process.pid)
    saver.changed(job)
    if (asked !== undefined) process.stop(asked)
    return process
  }

  #end(job: LiveJob, result: JobResult): Effect.Effect<void> {
    return Effect.suspend(() => {
      job.isEnding = true
      const ending = new OneShotLatch()
      this.#endings.add(ending)
      const ended = Effect.sync(() => {
        this.#endings.delete(ending)
        ending.open()
      })
      return Effect.ensuring(this.#rest(job, result), ended)
    })
  }

  /** An attempt has ended: once what follows is on disk its place is free. */
  #rest(job: LiveJob, result: JobResult): Effect.Effect<void> {
    return Effect.gen({ self: this }, function*() {
      yield* Effect.promise(() => job.log.flush())
      const delay = yield* this.#delay(job, result)
      // a stop may have come meanwhile
      const delayMs = job.isPaused || job.asked === undefined ? delay : undefined
      if (delayMs === undefined) job.stop(result)
      else job.again(result, delayMs, this.#now())
      this.#given.saver.changed(job)
      yield* (delayMs === undefined ? job.finished : job.rested).await
      // it is in the store now
      this.#discard(job)
      this.#running.delete(job)
      if (delayMs === undefined) this.#owner.onEnd(job)
      else {
        job.isEnding = false
        this.#enqueue(job)
        // a stop that came while it was neither here nor there
        if (job.asked !== undefined) this.stop(job, job.asked)
      }
      this.#startNext()
    })
  }

  /** Removes the result that an attempt has left, or was about to leave. */
  #discard(job: LiveJob): void {
    const file = this.#resultFile(job)
    for (const path of [file, partOf(file)]) rmSync(path, { force: true })
  }

  /** Removes the results that nobody asks for any more: those that come next have not ended yet. */
  #sweep(jobs: ReadonlyArray<LiveJob>): void {
    const awaited = new Set(
      jobs.flatMap((job) => job.info.state === "queued" ? [] : [basename(this.#resultFile(job))])
    )
    const folder = join(this.#given.options.folder, "results")
    for (const name of readdirSync(folder)) {
      if (!awaited.has(name)) rmSync(join(folder, name), { force: true })
    }
  }

  /** After how long it begins again; none where it does not. */
  #delay(job: LiveJob, { report }: JobResult): Effect.Effect<number | undefined> {
    const { restart } = job.submission
    if (restart === undefined) return Effect.undefined
    if (job.isPaused) return Effect.succeed(report.outcome === "succeeded" ? undefined : 0)
    // also one that failed before it heard of the stop
    if (job.asked !== undefined || !hasFailed(report)) return Effect.undefined
    return restartDelay(restart, job.failures, this.#given.clock.currentTimeMillisUnsafe())
  }

  #now(): string {
    return new Date(this.#given.clock.currentTimeMillisUnsafe()).toISOString()
  }

  #resultFile({ info }: LiveJob): string {
    return join(this.#given.options.folder, "results", `${info.id}.json`)
  }
}

const lower = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined ? a ?? b : Math.min(a, b)
