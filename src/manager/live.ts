import * as Clock from "effect/Clock"
import * as Equal from "effect/Equal"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { rmSync } from "node:fs"
import { join } from "node:path"
import type { JobProcess, JobProcessOptions } from "./JobProcess.ts"
import { JobLog, removeLog } from "./jobLog.ts"
import { JobStore, type StoredJob, type StoreError } from "./JobStore.ts"
import { LiveJob } from "./liveJob.ts"
import { Conflict, Manager, type ManagerOptions, NotFound, Refused, Unavailable } from "./Manager.ts"
import { JobInfo, type JobResult, type NumberedEvent, type StopCommand, type Submission } from "./models.ts"
import { eventsAfter, linesAfter } from "./history.ts"
import { JobQueue } from "./queue.ts"
import { endLost } from "./recovery.ts"
import { Saver } from "./saver.ts"
import { notBegun } from "./unreported.ts"

/** Where the processes of jobs come from. */
export interface Launcher {
  readonly start: (options: JobProcessOptions) => JobProcess
  /** Sees to it that a job can be run as it was submitted. Fails with a message for people. */
  readonly check: (module: string, submission: Submission) => Effect.Effect<void, string>
}

/** A manager over a store: a process for each job, so many at once. Releasing it stops the jobs that run. */
export const layer = (options: ManagerOptions, launcher: Launcher): Layer.Layer<Manager, StoreError, JobStore> =>
  Layer.effect(
    Manager,
    Effect.gen(function*() {
      const store = yield* JobStore
      const clock = yield* Clock.Clock
      const saver = new Saver(store)
      // not a child of the fiber that builds this, which may end long before the manager does
      yield* Effect.forkScoped(saver.run)
      const fork = yield* FiberSet.makeRuntime<never, void, never>()
      const manager = new LiveManager({ options, launcher, store, clock, saver, fork })
      yield* Effect.addFinalizer(() => manager.close)
      yield* manager.recover
      return Manager.of(manager.service)
    })
  )

interface Dependencies {
  readonly options: ManagerOptions
  readonly launcher: Launcher
  readonly store: JobStore["Service"]
  readonly clock: Clock.Clock
  readonly saver: Saver
  readonly fork: (effect: Effect.Effect<void>) => unknown
}

class LiveManager {
  readonly #given: Dependencies
  readonly #modules: ReadonlyMap<string, string>
  readonly #queue = new JobQueue()
  readonly #live = new Map<string, LiveJob>()
  readonly #logs: string
  #running = 0
  #isStopping = false

  constructor(given: Dependencies) {
    this.#given = given
    this.#modules = new Map(given.options.jobs.map(({ module, name }) => [name, module]))
    this.#logs = join(given.options.folder, "logs")
  }

  get service(): Manager["Service"] {
    const { options, store } = this.#given
    return {
      submit: (submission) => this.#submit(submission),
      get: (id) => this.#info(id),
      list: (filter) =>
        Effect.map(store.list(filter), (infos) => infos.map((info) => this.#live.get(info.id)?.info ?? info)),
      resolve: (prefix) => this.#resolve(prefix),
      events: (id, { after, follow }) =>
        Stream.unwrap(
          Effect.map(this.#info(id), () => eventsAfter(store, id, follow ? this.#live.get(id) : undefined, after))
        ),
      logs: (id, { after, follow }) =>
        Stream.unwrap(
          Effect.map(this.#info(id), () => linesAfter(this.#logs, id, follow ? this.#live.get(id) : undefined, after))
        ),
      stages: (id) => Effect.map(this.#info(id), ({ id }) => this.#live.get(id)?.stages ?? []),
      stop: (id, command) =>
        Effect.map(this.#info(id), (info) => {
          const job = this.#live.get(id)
          if (job === undefined) return info
          this.#stop(job, command)
          return job.info
        }),
      result: (id) =>
        Effect.gen({ self: this }, function*() {
          const { state } = yield* this.#info(id)
          if (state === "stopped") return yield* this.#result(id)
          return yield* new Conflict({ message: `job ${id} is ${state}; its result is there once it has stopped` })
        }),
      renew: (id) =>
        Effect.map(this.#info(id), (info) => {
          const job = this.#live.get(id)
          if (job !== undefined) this.#renew(job)
          return info
        }),
      remove: (id, force) => this.#remove(id, force),
      clean: (before) => store.removeStopped(before),
      jobs: options.jobs,
      counts: store.counts,
      stopRunning: (command) => Effect.asVoid(Effect.sync(() => this.#stopRunning(command))),
      close: this.close,
      isReady: Effect.sync(() => !this.#isStopping && this.#given.saver.failure === undefined)
    }
  }

  /** Takes on what a manager before this one has left. */
  readonly recover: Effect.Effect<void, StoreError> = Effect.gen({ self: this }, function*() {
    const { fork, store } = this.#given
    for (const stored of yield* store.unfinished) {
      const known = yield* Stream.runCollect(eventsAfter(store, stored.info.id, undefined, 0))
      const job = this.#adopt(stored, known)
      if (stored.info.state === "queued") this.#queue.add(stored)
      else fork(this.#endLost(job))
      this.#renew(job)
    }
    this.#startNext()
  })

  /** Stops all jobs by their own policies. What is queued stays in the queue, on disk. */
  readonly close: Effect.Effect<void> = Effect.suspend(() => {
    this.#isStopping = true
    const running = this.#stopRunning({ reason: "the job manager is being stopped" })
    return Effect.forEach(running, ({ finished }) => finished.await, { concurrency: "unbounded", discard: true })
  })

  #stopRunning(command: StopCommand): ReadonlyArray<LiveJob> {
    const running = [...this.#live.values()].filter(({ process }) => process !== undefined)
    for (const job of running) this.#stop(job, command)
    return running
  }

  #submit(submission: Submission) {
    return Effect.gen({ self: this }, function*() {
      const { launcher, store } = this.#given
      if (this.#isStopping) return yield* new Unavailable({ message: "the job manager is being stopped" })
      const module = this.#modules.get(submission.job)
      if (module === undefined) {
        const known = [...this.#modules.keys()].join(", ")
        return yield* new Refused({ message: `no job "${submission.job}" is registered here; there are: ${known}` })
      }
      yield* Effect.mapError(launcher.check(module, submission), (message) => new Refused({ message }))
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
        this.#renew(this.#adopt(stored, []))
        this.#queue.add(stored)
        this.#startNext()
      }
      return this.#live.get(id)?.info ?? stored.info
    })
  }

  #adopt({ info, submission }: StoredJob, known: ReadonlyArray<NumberedEvent>): LiveJob {
    const job: LiveJob = new LiveJob(info, submission, new JobLog(this.#logs, info.id, () => job.tell()), known)
    this.#live.set(info.id, job)
    return job
  }

  #startNext(): void {
    while (!this.#isStopping && this.#running < this.#given.options.concurrency) {
      const next = this.#queue.take()
      if (next === undefined) return
      const job = this.#live.get(next.info.id)
      if (job !== undefined) this.#start(job)
    }
  }

  #start(job: LiveJob): void {
    const { fork, launcher, saver } = this.#given
    this.#running++
    const process = launcher.start({
      id: job.info.id,
      submission: job.submission,
      module: this.#modules.get(job.info.job) ?? "",
      resultFile: this.#resultFile(job.info.id),
      onEvent: (event) => {
        job.take(event)
        saver.changed(job)
      },
      onStages: (stages) => void (job.stages = stages),
      onOutput: (stream, text) => job.log.add(stream, text, this.#now())
    })
    job.process = process
    job.change({
      state: "starting",
      startedAt: this.#now(),
      ...(process.pid === undefined ? {} : { pid: process.pid })
    })
    saver.changed(job)
    fork(Effect.flatMap(process.ended, (result) => this.#finish(job, result)))
  }

  /** A job has ended: once that is on disk its place is free. */
  #finish(job: LiveJob, result: JobResult): Effect.Effect<void> {
    return Effect.gen({ self: this }, function*() {
      yield* Effect.promise(() => job.log.flush())
      const { clean, outcome, reason, stoppedAt, trigger } = result.report
      const { pid: _, ...info } = job.info
      job.info = new JobInfo({
        ...info,
        state: "stopped",
        stoppedAt,
        trigger,
        outcome,
        clean,
        ...(reason === undefined ? {} : { reason })
      })
      job.stages = result.report.stages
      job.result = result
      this.#given.saver.changed(job)
      yield* job.finished.await
      // it is in the store now
      rmSync(this.#resultFile(job.info.id), { force: true })
      this.#live.delete(job.info.id)
      if (job.process !== undefined) this.#running--
      this.#startNext()
    })
  }

  #endLost(job: LiveJob): Effect.Effect<void> {
    return Effect.flatMap(
      endLost(job, this.#resultFile(job.info.id)),
      (result) => this.#finish(job, result)
    )
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
    if (this.#queue.remove(id) === undefined) return
    const times = { startedAt: submittedAt, stoppedAt: this.#now() }
    const result = notBegun({ id, job: name, trigger: "stopped", reason: command.reason, ...times })
    this.#given.fork(this.#finish(job, result))
  }

  #renew(job: LiveJob): void {
    const { leaseMs } = job.submission
    if (leaseMs === undefined) return
    const isNew = job.leaseEnd === Infinity
    job.leaseEnd = this.#given.clock.currentTimeMillisUnsafe() + leaseMs
    if (isNew) this.#given.fork(this.#watchLease(job))
  }

  #watchLease(job: LiveJob): Effect.Effect<void> {
    return Effect.suspend(() => {
      const left = job.leaseEnd - this.#given.clock.currentTimeMillisUnsafe()
      if (job.finished.opened) return Effect.void
      if (left > 0) return Effect.andThen(Effect.sleep(left), this.#watchLease(job))
      return Effect.sync(() => this.#stop(job, { reason: "its lease has expired: its client is gone" }))
    })
  }

  #info(id: string) {
    return Effect.gen({ self: this }, function*() {
      const job = this.#live.get(id)
      if (job !== undefined) return job.info
      const stored = yield* this.#given.store.get(id)
      return stored?.info ?? (yield* new NotFound({ id, message: `there is no job ${id}` }))
    })
  }

  #result(id: string) {
    return Effect.flatMap(
      this.#given.store.result(id),
      (result) =>
        result === undefined
          ? Effect.fail(new NotFound({ id, message: `job ${id} has no result` }))
          : Effect.succeed(result)
    )
  }

  #resolve(prefix: string) {
    return Effect.gen({ self: this }, function*() {
      const ids = yield* this.#given.store.withPrefix(prefix, 2)
      const [id] = ids
      if (id === undefined) return yield* new NotFound({ id: prefix, message: `there is no job ${prefix}` })
      if (ids.length === 1 || ids.includes(prefix)) return ids.includes(prefix) ? prefix : id
      return yield* new Conflict({ message: `several jobs begin with ${prefix}; more of the id is needed` })
    })
  }

  #remove(id: string, force: boolean) {
    return Effect.gen({ self: this }, function*() {
      const { state } = yield* this.#info(id)
      const job = this.#live.get(id)
      if (job !== undefined) {
        if (!force) {
          return yield* new Conflict({ message: `job ${id} is ${state}; stop it first, or force its removal` })
        }
        this.#stop(job, { mode: "cancel", reason: "it is being removed" })
        yield* job.finished.await
      }
      yield* this.#given.store.remove(id)
      removeLog(this.#logs, id)
    })
  }
}
