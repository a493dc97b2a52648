import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { join } from "node:path"
import { version } from "../../process/packageVersion.ts"
import { Bundles } from "../code/bundles.ts"
import { eventsAfter, linesAfter, storedEvents } from "./history.ts"
import { JobLog, removeLog } from "./jobLog.ts"
import type { Code, Launcher } from "../JobProcess.ts"
import { JobStore, type StoredJob, StoreError } from "../JobStore.ts"
import { LiveJob } from "./liveJob.ts"
import { lookup } from "./lookup.ts"
import { Conflict, Manager, type ManagerOptions, type NotFound, Refused, Unavailable } from "../Manager.ts"
import { JobInfo, type JobStages, type Overview, type Submission } from "../models.ts"
import { type Kept, removeStopped, retain } from "./retention.ts"
import { Runner, type Running } from "./runner.ts"
import { Saver } from "./saver.ts"
import { Watchers } from "./watchers.ts"

/** How long an answer waits for the store. */
const longestMs = 5_000

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

interface Dependencies extends Running {
  readonly options: ManagerOptions
  readonly store: JobStore["Service"]
  readonly watchers: Watchers
}

class LiveManager {
  readonly kept: Kept
  readonly #given: Dependencies
  readonly #modules: ReadonlyMap<string, string>
  readonly #bundles: Bundles | undefined
  readonly #live = new Map<string, LiveJob>()
  readonly #runner: Runner
  readonly #find: ReturnType<typeof lookup>
  readonly #logs: string
  readonly #startedAt: string

  constructor(given: Dependencies) {
    const { options: { folder, jobs, keep, uploads }, store, watchers } = given
    this.#given = given
    this.#startedAt = this.#now()
    this.#modules = new Map(jobs.map(({ module, name }) => [name, module]))
    this.#runner = new Runner(given, {
      codeOf: (submission) => this.#code(submission),
      onEnd: ({ info }) => this.#live.delete(info.id)
    })
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
      stop: (id, command) =>
        this.#withLive(id, (job) => this.#runner.stop(job, command) ? this.#finished(job) : Effect.void),
      result,
      renew: (id) => this.#withLive(id, (job) => Effect.sync(() => this.#runner.renew(job))),
      remove: (id, force) => this.#remove(id, force),
      clean: (before) => removeStopped(this.kept, before),
      jobs: options.jobs,
      counts: store.counts,
      stopRunning: (command) => Effect.sync(() => this.#runner.stopAll(command)),
      begin: Effect.sync(() => this.#runner.begin()),
      close: this.close,
      isReady: Effect.sync(() => this.#isReady)
    }
  }

  get #isReady(): boolean {
    return !this.#runner.isClosing && this.#given.saver.failure === undefined
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
    const { store } = this.#given
    const jobs = yield* Effect.forEach(yield* store.unfinished, (stored) => {
      const job = this.#adopt(stored)
      const told = storedEvents(store, stored.info.id, 0)
      return Effect.as(Stream.runForEach(told, (event) => Effect.sync(() => job.recall(event))), job)
    })
    this.#runner.recover(jobs)
  })

  /** Stops all jobs by their own policies. What is queued stays there, on disk, and what is to be restarted goes there. */
  readonly close: Effect.Effect<void> = Effect.suspend(() => {
    this.#given.watchers.renew()
    return this.#runner.close
  })

  #submit(submission: Submission) {
    return Effect.gen({ self: this }, function*() {
      const { launcher, store } = this.#given
      if (this.#runner.isClosing) return yield* new Unavailable({ message: "the job manager is being stopped" })
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
      const { stored } = yield* Effect.catch(
        store.add({ info, submission: { ...submission, id } }),
        (error) => Effect.andThen(this.#checkBundle(submission), Effect.fail(error))
      )
      if (!Equal.equals(stored.submission, { ...submission, id })) {
        return yield* new Conflict({ message: `the id ${id} is that of another job, "${stored.info.job}"` })
      }
      // one that was added by a submit that could not be answered is taken up by the next
      if (stored.info.state === "queued" && !this.#live.has(id)) {
        this.#runner.add(this.#adopt(stored))
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

  /** Fails where it is gone, so that its client uploads it again. */
  #checkBundle({ bundle }: Submission): Effect.Effect<void, NotFound | StoreError> {
    return bundle === undefined ? Effect.void : this.#bundles?.check(bundle) ?? Effect.void
  }

  #adopt({ info, submission }: StoredJob): LiveJob {
    const log = { folder: this.#logs, bytes: this.#given.options.logBytes }
    const job: LiveJob = new LiveJob(info, submission, new JobLog(log, info.id, () => job.tell()))
    this.#live.set(info.id, job)
    const { watchers } = this.#given
    job.onChange = () => watchers.changed(job.info)
    job.onChange()
    // that it has stopped is told once its result is there
    job.finished.onOpen(job.onChange)
    return job
  }

  #now(): string {
    return new Date(this.#given.clock.currentTimeMillisUnsafe()).toISOString()
  }

  /** Does something to a job, where it lives, and gives where it stands then. */
  #withLive(
    id: string,
    use: (job: LiveJob) => Effect.Effect<void, StoreError>
  ): Effect.Effect<JobInfo, NotFound | StoreError> {
    return Effect.flatMap(this.#find.info(id), (info) => {
      const job = this.#live.get(id)
      return job === undefined ? Effect.succeed(info) : Effect.map(use(job), () => job.info)
    })
  }

  /** Who is told that a job never begins must be able to rely on it, also where the manager is killed next. */
  #finished({ finished, info: { id } }: LiveJob): Effect.Effect<void, StoreError> {
    const late = { operation: "stop", message: `the stop of job ${id} could not be written yet; it is tried again` }
    return Effect.timeoutOrElse(finished.await, { duration: longestMs, orElse: () => new StoreError(late) })
  }

  #remove(id: string, force: boolean) {
    return Effect.gen({ self: this }, function*() {
      const { state } = yield* this.#find.info(id)
      const job = this.#live.get(id)
      if (job !== undefined) {
        if (state !== "stopped") {
          if (!force) {
            return yield* new Conflict({ message: `job ${id} is ${state}; stop it first, or force its removal` })
          }
          this.#runner.stop(job, { mode: "cancel", reason: "it is being removed" })
        }
        yield* job.finished.await
      }
      yield* this.#given.store.remove(id)
      this.kept.forgetJob(id)
      this.kept.onRemoved()
    })
  }
}

const noUploads = new Refused({ message: "this manager takes no uploads: only the jobs that are registered run here" })
