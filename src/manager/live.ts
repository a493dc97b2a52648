import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { rmSync } from "node:fs"
import { join } from "node:path"
import { version } from "../internal/version.ts"
import { Notice } from "../internal/notice.ts"
import { Bundles } from "./bundles.ts"
import { eventsAfter, linesAfter } from "./history.ts"
import { JobLog, removeLog } from "./jobLog.ts"
import type { Code, JobProcess, JobProcessOptions } from "./JobProcess.ts"
import { JobStore, type StoredJob, type StoreError } from "./JobStore.ts"
import { Leases } from "./leases.ts"
import { LiveJob } from "./liveJob.ts"
import { lookup } from "./lookup.ts"
import { Conflict, Manager, type ManagerOptions, type NotFound, Refused, Unavailable } from "./Manager.ts"
import {
  JobInfo,
  type JobResult,
  type JobStages,
  type NumberedEvent,
  type Overview,
  type StopCommand,
  type Submission
} from "./models.ts"
import { JobQueue } from "./queue.ts"
import { endLost } from "./recovery.ts"
import { failuresOf, hasFailed, restartDelay } from "./restart.ts"
import { type Kept, removeStopped, retain } from "./retention.ts"
import { Saver } from "./saver.ts"
import { notBegun } from "./unreported.ts"
import { Watchers } from "./watchers.ts"

/** Where the processes of jobs come from. */
export interface Launcher {
  readonly start: (options: JobProcessOptions) => JobProcess
  /** Sees to it that a job can be run as it was submitted. Fails with a message for people. */
  readonly check: (code: Code, submission: Submission) => Effect.Effect<void, string>
}

/** A manager over a store: a process for each job, so many at once. Releasing it stops the jobs that run. */
export const layer = (options: ManagerOptions, launcher: Launcher): Layer.Layer<Manager, StoreError, JobStore> =>
  Layer.effect(
    Manager,
    Effect.gen(function*() {
      const store = yield* JobStore
      const clock = yield* Clock.Clock
      const watchers = new Watchers()
      const saver = new Saver(store, () => watchers.renew())
      // not a child of the fiber that builds this, which may end long before the manager does
      yield* Effect.forkScoped(saver.run)
      const fork = yield* FiberSet.makeRuntime<never, void, never>()
      const manager = new LiveManager({ options, launcher, store, clock, saver, watchers, fork })
      yield* Effect.addFinalizer(() => manager.close)
      yield* manager.recover
      fork(retain(manager.kept))
      return Manager.of(manager.service)
    })
  )

interface Dependencies {
  readonly options: ManagerOptions
  readonly launcher: Launcher
  readonly store: JobStore["Service"]
  readonly clock: Clock.Clock
  readonly saver: Saver
  readonly watchers: Watchers
  readonly fork: (effect: Effect.Effect<void>) => unknown
}

class LiveManager {
  readonly kept: Kept
  readonly #given: Dependencies
  readonly #modules: ReadonlyMap<string, string>
  readonly #bundles: Bundles | undefined
  readonly #queue = new JobQueue()
  readonly #live = new Map<string, LiveJob>()
  readonly #leases: Leases
  readonly #find: ReturnType<typeof lookup>
  readonly #logs: string
  readonly #startedAt: string
  /** Those that run, are about to, or have just ended: each has one of the places there are. */
  readonly #running = new Set<LiveJob>()
  #isStopping = false

  constructor(given: Dependencies) {
    const { options: { folder, jobs, keep, uploads }, store, watchers } = given
    this.#given = given
    this.#startedAt = this.#now()
    this.#modules = new Map(jobs.map(({ module, name }) => [name, module]))
    this.#leases = new Leases(given, (job, reason) => this.#stop(job, { reason }))
    this.#find = lookup(store, this.#live)
    this.#logs = join(folder, "logs")
    const bundles = uploads && new Bundles(store, join(folder, "bundles"), uploads)
    this.#bundles = bundles
    this.kept = {
      store,
      keep,
      forgetJob: (id) => removeLog(this.#logs, id),
      forgetBundle: (hash) => bundles?.forget(hash),
      onRemoved: () => watchers.renew()
    }
  }

  get service(): Manager["Service"] {
    const { options, store, watchers } = this.#given
    const { info, resolve, result } = this.#find
    const live = (id: string, follow: boolean) => follow ? this.#live.get(id) : undefined
    return {
      submit: (submission) => this.#submit(submission),
      upload: (hash, content) => this.#bundles?.add(hash, content, this.#now()) ?? Effect.fail(noUploads),
      get: info,
      list: (filter) =>
        Effect.map(store.list(filter), (infos) => infos.map((info) => this.#live.get(info.id)?.info ?? info)),
      resolve,
      events: (id, { after, follow }) =>
        Stream.unwrap(Effect.map(info(id), () => eventsAfter(store, id, live(id, follow), after))),
      logs: (id, { after, follow }) =>
        Stream.unwrap(Effect.map(info(id), () => linesAfter(this.#logs, id, live(id, follow), after))),
      changes: watchers.watch(this.#overview, () => this.#stages()),
      stages: (id) => Effect.map(info(id), ({ id }) => this.#live.get(id)?.stages ?? []),
      stop: (id, command) => this.#withLive(id, (job) => this.#stop(job, command)),
      result,
      renew: (id) => this.#withLive(id, (job) => this.#leases.renew(job)),
      remove: (id, force) => this.#remove(id, force),
      clean: (before) => removeStopped(this.kept, before),
      jobs: options.jobs,
      counts: store.counts,
      stopRunning: (command) => Effect.sync(() => this.#running.forEach((job) => this.#stop(job, command))),
      close: this.close,
      isReady: Effect.sync(() => this.#isReady)
    }
  }

  get #isReady(): boolean {
    return !this.#isStopping && this.#given.saver.failure === undefined
  }

  /** What has stopped while they were counted is told as a change. */
  readonly #overview: Effect.Effect<Overview, StoreError> = Effect.suspend(() =>
    Effect.map(this.#given.store.counts, ({ stopped }) => {
      const counts = { queued: 0, starting: 0, running: 0, stopping: 0, stopped }
      const jobs = [...this.#live.values()].map(({ info }) => info).filter(({ state }) => state !== "stopped")
      for (const { state } of jobs) counts[state]++
      const at = this.#now()
      return { _tag: "Overview", version, at, startedAt: this.#startedAt, ready: this.#isReady, counts, jobs }
    })
  )

  #stages(): Iterable<JobStages> {
    return [...this.#live.values()].map(({ info: { id }, stages }) => ({ _tag: "Stages", id, stages }))
  }

  /** Takes on what a manager before this one has left. */
  readonly recover: Effect.Effect<void, StoreError> = Effect.gen({ self: this }, function*() {
    const { fork, store } = this.#given
    for (const stored of yield* store.unfinished) {
      const known = yield* Stream.runCollect(eventsAfter(store, stored.info.id, undefined, 0))
      const job = this.#adopt(stored, known)
      // it was killed while it was being stopped
      job.isPaused = stored.info.reason === closing
      if (stored.info.state === "queued") this.#enqueue(job)
      else fork(Effect.flatMap(endLost(job, this.#resultFile(job.info.id)), (result) => this.#ended(job, result)))
      this.#leases.renew(job)
    }
    this.#startNext()
  })

  /** Stops all jobs by their own policies. What is queued stays there, on disk, and what is to be restarted goes there. */
  readonly close: Effect.Effect<void> = Effect.suspend(() => {
    this.#isStopping = true
    this.#given.watchers.renew()
    const running = [...this.#running]
    for (const job of running) {
      job.isPaused = job.submission.restart !== undefined && job.info.state !== "stopping"
      this.#stop(job, { reason: closing })
    }
    return Effect.forEach(running, ({ rested }) => rested.await, { concurrency: "unbounded", discard: true })
  })

  #submit(submission: Submission) {
    return Effect.gen({ self: this }, function*() {
      const { launcher, store } = this.#given
      if (this.#isStopping) return yield* new Unavailable({ message: "the job manager is being stopped" })
      const code = yield* this.#code(submission)
      yield* Effect.mapError(launcher.check(code, submission), (message) => new Refused({ message }))
      const id = submission.id ?? crypto.randomUUID()
      const info = new JobInfo({
        id,
        job: submission.job,
        state: "queued",
        priority: submission.priority ?? 0,
        submittedAt: this.#now()
      })
      const { stored } = yield* store.add({ info, submission: { ...submission, id } })
      if (!Equal.equals(stored.submission, { ...submission, id })) {
        return yield* new Conflict({ message: `the id ${id} is that of another job, "${stored.info.job}"` })
      }
      // one that was added by a submit that could not be answered is taken up by the next
      if (stored.info.state === "queued" && !this.#live.has(id)) {
        const job = this.#adopt(stored, [])
        this.#leases.renew(job)
        this.#enqueue(job)
        this.#startNext()
      }
      return this.#live.get(id)?.info ?? stored.info
    })
  }

  /** The code of what is submitted: what a client brought along, or what is registered. */
  #code({ bundle, job }: Submission): Effect.Effect<Code, Refused | NotFound | StoreError> {
    if (bundle !== undefined) return this.#bundles?.code(bundle) ?? Effect.fail(noUploads)
    const module = this.#modules.get(job)
    if (module !== undefined) return Effect.succeed({ module })
    const known = this.#modules.size === 0 ? "none is" : `there are: ${[...this.#modules.keys()].join(", ")}`
    return Effect.fail(new Refused({ message: `no job "${job}" is registered here; ${known}` }))
  }

  #adopt({ info, submission }: StoredJob, known: ReadonlyArray<NumberedEvent>): LiveJob {
    const log = { folder: this.#logs, bytes: this.#given.options.logBytes }
    const job: LiveJob = new LiveJob(info, submission, new JobLog(log, info.id, () => job.tell()), known)
    this.#live.set(info.id, job)
    const { watchers } = this.#given
    job.onChange = () => watchers.changed(job.info)
    job.onChange()
    // that it has stopped is told once its result is there
    job.finished.onOpen(job.onChange)
    return job
  }

  /** Puts a job into the queue, once its time has come. */
  #enqueue(job: LiveJob): void {
    const { restartsAt } = job.info
    const waitMs = restartsAt === undefined ? 0 : Date.parse(restartsAt) - this.#given.clock.currentTimeMillisUnsafe()
    if (waitMs <= 0) return this.#queue.add(job)
    job.isWaiting = true
    this.#given.fork(Effect.andThen(
      Effect.sleep(waitMs),
      Effect.sync(() => {
        if (!job.isWaiting) return
        job.isWaiting = false
        this.#queue.add(job)
        this.#startNext()
      })
    ))
  }

  #startNext(): void {
    while (!this.#isStopping && this.#running.size < this.#given.options.concurrency) {
      const running = [...this.#running]
      const job = this.#queue.take((name) => running.filter(({ info }) => info.job === name).length)
      if (job === undefined) return
      this.#running.add(job)
      job.rested = new Notice()
      this.#given.fork(this.#start(job))
    }
  }

  #start(job: LiveJob): Effect.Effect<void> {
    return Effect.flatMap(Effect.result(this.#code(job.submission)), (code) => {
      if (code._tag === "Success") return this.#run(job, code.success)
      const { id, job: name } = job.info
      return this.#ended(job, notBegun({ id, job: name, trigger: "failed", reason: code.failure.message }))
    })
  }

  #run(job: LiveJob, code: Code): Effect.Effect<void> {
    const { launcher, options: { limits }, saver } = this.#given
    const { info: { id }, submission } = job
    // that of the attempt before this one
    rmSync(this.#resultFile(id), { force: true })
    const process = launcher.start({
      id,
      submission,
      code,
      limits: {
        memory: lower(submission.memory, limits.memory),
        timeMs: lower(submission.timeMs, limits.timeMs)
      },
      resultFile: this.#resultFile(id),
      onEvent: (event) => {
        job.take(event)
        saver.changed(job)
      },
      onStages: (stages) => void (job.stages = stages),
      onOutput: (stream, text) => job.log.add(stream, text, this.#now())
    })
    job.process = process
    const { pid } = process
    job.change({ state: "starting", startedAt: this.#now(), ...(pid === undefined ? {} : { pid }) })
    saver.changed(job)
    if (job.asked !== undefined) process.stop(job.asked)
    return Effect.flatMap(process.ended, (result) => this.#ended(job, result))
  }

  /** An attempt has ended: once what follows is on disk its place is free. */
  #ended(job: LiveJob, result: JobResult): Effect.Effect<void> {
    return Effect.gen({ self: this }, function*() {
      yield* Effect.promise(() => job.log.flush())
      const delayMs = yield* this.#delay(job, result)
      const { clean, outcome, reason, trigger } = result.report
      if (delayMs === undefined) job.stop(result)
      else {
        job.again({
          _tag: "JobRestarting",
          at: this.#now(),
          attempt: (job.info.restarts ?? 0) + 1,
          delayMs,
          trigger,
          outcome,
          clean,
          ...(reason === undefined ? {} : { reason })
        })
      }
      this.#given.saver.changed(job)
      yield* job.rested.await
      // it is in the store now
      rmSync(this.#resultFile(job.info.id), { force: true })
      this.#running.delete(job)
      if (delayMs === undefined) this.#live.delete(job.info.id)
      else this.#enqueue(job)
      this.#startNext()
    })
  }

  /** After how long it begins again; none where it does not. */
  #delay(job: LiveJob, { report }: JobResult): Effect.Effect<number | undefined> {
    const { restart } = job.submission
    if (restart === undefined) return Effect.undefined
    if (job.isPaused) return Effect.succeed(report.outcome === "succeeded" ? undefined : 0)
    if (!hasFailed(report)) return Effect.undefined
    const failures = failuresOf([...job.events, ...job.unsaved])
    return restartDelay(restart, failures, this.#given.clock.currentTimeMillisUnsafe())
  }

  #now(): string {
    return new Date(this.#given.clock.currentTimeMillisUnsafe()).toISOString()
  }

  #resultFile(id: string): string {
    return join(this.#given.options.folder, "results", `${id}.json`)
  }

  #stop(job: LiveJob, command: StopCommand): void {
    if (job.process !== undefined) return job.process.stop(command)
    // it has not begun: there is nothing to stop but its place in the queue
    const { id, job: name, submittedAt } = job.info
    if (this.#queue.remove(id) === undefined && !job.isWaiting) {
      job.asked = command
      return
    }
    job.isWaiting = false
    const times = { startedAt: submittedAt, stoppedAt: this.#now() }
    const result = notBegun({ id, job: name, trigger: "stopped", reason: command.reason, ...times })
    this.#given.fork(this.#ended(job, result))
  }

  /** Does something to a job, where it lives, and gives where it stands then. */
  #withLive(id: string, use: (job: LiveJob) => void): Effect.Effect<JobInfo, NotFound | StoreError> {
    return Effect.map(this.#find.info(id), (info) => {
      const job = this.#live.get(id)
      if (job === undefined) return info
      use(job)
      return job.info
    })
  }

  #remove(id: string, force: boolean) {
    return Effect.gen({ self: this }, function*() {
      const { state } = yield* this.#find.info(id)
      const job = this.#live.get(id)
      if (job !== undefined) {
        if (!force) {
          return yield* new Conflict({ message: `job ${id} is ${state}; stop it first, or force its removal` })
        }
        this.#stop(job, { mode: "cancel", reason: "it is being removed" })
        yield* job.finished.await
      }
      yield* this.#given.store.remove(id)
      this.kept.forgetJob(id)
      this.kept.onRemoved()
    })
  }
}

/** Why a job is stopped with its manager. */
const closing = "the job manager is being stopped"

const noUploads = new Refused({ message: "this manager takes no uploads: only the jobs that are registered run here" })

const lower = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined ? a ?? b : Math.min(a, b)
