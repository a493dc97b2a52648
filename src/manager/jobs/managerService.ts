/** The `Manager` over a store and a launcher. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { join } from "node:path"
import { version } from "../../process/packageVersion.ts"
import { JobCode } from "../code/jobCode.ts"
import { Conflict, type NotFound, StoreError } from "../errors.ts"
import type { Launcher } from "../JobProcess.ts"
import { type JobCounts, JobStore, type StoredJob } from "../JobStore.ts"
import { Manager, type ManagerOptions } from "../Manager.ts"
import { ManagerTelemetry, type ManagerTelemetryShape } from "../managerTelemetry.ts"
import type { JobInfo, JobStages, Overview } from "../models.ts"
import { ActiveJob, type Past } from "./activeJob.ts"
import { ChangeFeed } from "./changeFeed.ts"
import { eventFeed, logFeed, storedEvents } from "./jobFeeds.ts"
import { JobLog, removeLog } from "./jobLog.ts"
import { jobTypes } from "./jobTypes.ts"
import { JobMetrics, type MeteredJob } from "./jobMetrics.ts"
import { exportedOutput } from "./exportedOutput.ts"
import { JobTraces } from "./jobTraces.ts"
import { jobLookup } from "./jobLookup.ts"
import { type AdoptedJob, JobScheduler, type SchedulerDependencies } from "./jobScheduler.ts"
import { adoptedState, lostResult, StoredEvents } from "./lostJob.ts"
import { removeStopped, retain, type RetentionOptions } from "./retention.ts"
import { StoreWriter } from "./storeWriter.ts"
import { Submissions } from "./submissions.ts"
import { UnsavedFiles } from "./unsavedFiles.ts"

/** The interval at which jobs are counted for metrics that are exported. */
const countMs = 15_000

/** The time that an answer waits for the store. */
const storeWaitMs = 5_000

/** A manager that runs a limited number of jobs at once. Releasing it stops the jobs that run. */
export const layer = (options: ManagerOptions, launcher: Launcher): Layer.Layer<Manager, StoreError, JobStore> =>
  Layer.effect(
    Manager,
    Effect.gen(function*() {
      const store = yield* JobStore
      const clock = yield* Clock.Clock
      const telemetry = yield* ManagerTelemetry
      const changes = new ChangeFeed()
      const files = new UnsavedFiles(options.folder)
      yield* files.saveTo(store)
      files.reserve()
      const writer = new StoreWriter(store, files, () => changes.invalidate())
      // the writer is no child of the fiber that builds the layer, because that may end long before the manager
      yield* Effect.forkScoped(writer.run)
      const fork = yield* FiberSet.makeRuntime<never, void, never>()
      const manager = new ManagerService({ options, launcher, store, clock, writer, changes, fork, telemetry })
      yield* Effect.addFinalizer(() => Effect.sync(() => manager.endMetrics()))
      yield* Effect.addFinalizer(() => manager.close)
      yield* manager.adoptStored
      fork(retain(manager.retention))
      if (telemetry !== undefined) fork(manager.countJobs)
      return Manager.of(manager.service)
    })
  )

interface Dependencies extends Omit<SchedulerDependencies, "options" | "codeOf" | "onFinished"> {
  readonly options: ManagerOptions
  readonly store: JobStore["Service"]
  readonly changes: ChangeFeed
  readonly telemetry: ManagerTelemetryShape | undefined
}

class ManagerService {
  readonly retention: RetentionOptions
  readonly #given: Dependencies
  readonly #code: JobCode
  readonly #active = new Map<string, ActiveJob>()
  readonly #scheduler: JobScheduler
  readonly #lookup: ReturnType<typeof jobLookup>
  readonly #submissions: Submissions
  readonly #jobType: Manager["Service"]["jobType"]
  readonly #logs: string
  readonly #metrics: JobMetrics
  readonly #traces: JobTraces
  readonly #startedAt: string

  constructor(given: Dependencies) {
    const { changes, options, store, telemetry } = given
    this.#given = given
    this.#startedAt = this.#now()
    this.#code = new JobCode(store, options)
    this.#scheduler = new JobScheduler({
      ...given,
      codeOf: (submission) => this.#code.of(submission),
      onFinished: (job) => {
        this.#deactivate(job)
        given.fork(this.#traces.exportJob(job.info))
      }
    })
    this.#jobType = jobTypes(options, given.launcher)
    this.#lookup = jobLookup(store, this.#active)
    const waiting = () => Math.max(0, this.#active.size - this.#scheduler.running)
    this.#submissions = new Submissions({
      store,
      launcher: given.launcher,
      code: this.#code,
      variables: options.variables,
      queued: options.quotas.queued,
      waiting,
      isClosing: () => this.#scheduler.isClosing,
      active: this.#active,
      onStored: (stored) => this.#scheduler.add(this.#activate(stored)),
      now: () => this.#now()
    })
    this.#metrics = new JobMetrics(waiting, telemetry?.registry)
    this.#traces = new JobTraces(store, telemetry?.push)
    this.#logs = join(options.folder, "logs")
    this.retention = {
      store,
      keep: options.keep,
      removeJobFiles: (id) => removeLog(this.#logs, id),
      removeBundleFiles: (hash) => this.#code.removeFiles(hash),
      onRemoved: () => changes.invalidate()
    }
  }

  get service(): Manager["Service"] {
    const { changes, options, store, telemetry } = this.#given
    const { info, result } = this.#lookup
    const followed = (id: string, follow: boolean) => follow ? this.#active.get(id) : undefined
    return {
      submit: this.#submissions.submit,
      retry: (id, options, traceparent) =>
        Effect.flatMap(
          this.#lookup.again(id, options.id ?? crypto.randomUUID()),
          (submission) => this.#submissions.submit(submission, traceparent)
        ),
      upload: (hash, content) => this.#code.upload(hash, content, this.#now()),
      get: info,
      list: (filter) =>
        Effect.map(store.list(filter), (infos) => infos.map((info) => this.#active.get(info.id)?.info ?? info)),
      events: (id, { after, follow }) =>
        Stream.unwrap(Effect.map(info(id), () => eventFeed(store, id, followed(id, follow), after))),
      logs: (id, { after, follow, ...query }) =>
        Stream.unwrap(Effect.map(info(id), () => logFeed(this.#logs, id, followed(id, follow), after, query))),
      changes: changes.read(this.#overview, () => this.#stages()),
      stages: (id) => Effect.map(info(id), ({ id }) => this.#active.get(id)?.stages ?? []),
      history: (id, after) =>
        Effect.map(info(id), ({ id }) => this.#active.get(id)?.history(after) ?? { stages: [], samples: [] }),
      stop: (id, command) =>
        this.#withActive(id, (job) => this.#scheduler.stop(job, command) ? this.#awaitEnd(job) : Effect.void),
      result,
      renew: (id) => this.#withActive(id, (job) => Effect.sync(() => this.#scheduler.renew(job))),
      remove: (id, force) => this.#remove(id, force),
      clean: (before) => removeStopped(this.retention, before),
      jobs: options.jobs,
      status: () => ({
        store: store.database,
        concurrency: options.concurrency,
        queued: options.quotas.queued,
        spares: options.spares,
        watchers: changes.readers,
        ...(telemetry?.traceUrl === undefined ? {} : { traceUrl: telemetry.traceUrl })
      }),
      jobType: this.#jobType,
      counts: store.counts,
      metrics: this.#counted((metrics, counts, isReady) => metrics.text(counts, isReady)),
      countsOf: store.countsOf,
      stopRunning: (command) => Effect.sync(() => this.#scheduler.stopAll(command)),
      begin: Effect.sync(() => this.#scheduler.begin()),
      close: this.close,
      isReady: this.#readiness
    }
  }

  /** Counts the jobs for the metrics. */
  readonly #counted = <A>(use: (metrics: JobMetrics, counts: JobCounts, isReady: boolean) => A) =>
    Effect.suspend(() =>
      Effect.zipWith(
        this.#given.store.counts,
        this.#readiness,
        (counts, isReady) => use(this.#metrics, counts, isReady)
      )
    )

  readonly #readiness: Effect.Effect<boolean> = Effect.suspend(() =>
    this.#isReady ? this.#canRead : Effect.succeed(false)
  )

  /** Asks the store for a job that there is not: an idle manager would not notice that its store is down. */
  readonly #canRead: Effect.Effect<boolean> = Effect.suspend(() =>
    this.#given.store.get("").pipe(
      Effect.timeout(storeWaitMs),
      Effect.matchEager({ onFailure: () => false, onSuccess: () => true })
    )
  )

  get #isReady(): boolean {
    return !this.#scheduler.isClosing && this.#given.writer.isHealthy
  }

  /** Returns the overview. A job that stops while the store counts is emitted as a change afterwards. */
  readonly #overview: Effect.Effect<Overview, StoreError> = Effect.suspend(() =>
    Effect.map(this.#given.store.counts, ({ stopped }) => {
      const counts = { queued: 0, starting: 0, running: 0, stopping: 0, stopped }
      const jobs = [...this.#active.values()].map(({ info }) => info).filter(({ state }) => state !== "stopped")
      for (const { state } of jobs) counts[state]++
      const at = this.#now()
      return { _tag: "Overview", version, at, startedAt: this.#startedAt, ready: this.#isReady, counts, jobs }
    })
  )

  #stages(): Iterable<JobStages> {
    return [...this.#active.values()].map(({ id, stages }) => ({ _tag: "Stages", id, stages }))
  }

  /** Takes over the stored jobs that have not stopped. */
  readonly adoptStored: Effect.Effect<void, StoreError> = Effect.gen({ self: this }, function*() {
    const { store } = this.#given
    const adopted = yield* Effect.forEach(yield* store.unfinished, (stored) =>
      Effect.gen({ self: this }, function*() {
        const past = new StoredEvents(stored)
        let observed: MeteredJob | undefined
        yield* Stream.runForEach(
          storedEvents(store, stored.info.id, 0),
          (event) =>
            Effect.sync(() => {
              past.add(event)
              observed ??= this.#metrics.observe(stored.info)
              observed.past(event.event)
            })
        )
        const job = this.#activate(stored, past, observed)
        const adopted: AdoptedJob = { job, lostResult: (file) => lostResult(stored.info, past.attempt, file) }
        return adopted
      }))
    this.#scheduler.adopt(adopted)
  })

  /** Stops the running jobs by their own policies. Queued jobs, and those to be restarted, stay in the store. */
  readonly close: Effect.Effect<void> = Effect.suspend(() => {
    this.#given.changes.invalidate()
    return Effect.andThen(this.#scheduler.close, this.#traces.settled)
  })

  /** Counts the jobs again and again, for those who are sent the metrics and do not ask for them. */
  readonly countJobs: Effect.Effect<void> = Effect.suspend(() =>
    Effect.ignore(this.#counted((metrics, counts, isReady) => metrics.setStates(counts, isReady)))
  ).pipe(
    Effect.andThen(Effect.sleep(countMs)),
    Effect.forever
  )

  /** Ends what the manager measures. */
  endMetrics(): void {
    this.#metrics.end()
  }

  #activate(stored: StoredJob, past?: Past, observed?: MeteredJob): ActiveJob {
    const { changes, clock, options: { logBytes }, telemetry } = this.#given
    const { info, submission } = stored
    const job = new ActiveJob({
      info,
      submission,
      past,
      state: adoptedState(stored, clock.currentTimeMillisUnsafe()),
      log: (onWritten) => new JobLog({ folder: this.#logs, bytes: logBytes }, info.id, onWritten),
      onChange: (info) => changes.changed(info),
      observe: () => ({
        ...observed ?? this.#metrics.observe(info),
        ...this.#traces.of(info),
        output: exportedOutput(info, telemetry?.pushLog, telemetry?.push !== undefined)
      })
    })
    this.#active.set(job.id, job)
    changes.changed(job.info)
    return job
  }

  /** A job is no longer active. Another one may have its id by now. */
  #deactivate(job: ActiveJob): void {
    if (this.#active.get(job.id) === job) this.#active.delete(job.id)
  }

  #now(): string {
    return new Date(this.#given.clock.currentTimeMillisUnsafe()).toISOString()
  }

  /** Applies an effect to the job if it is active, and returns its info. */
  #withActive(
    id: string,
    use: (job: ActiveJob) => Effect.Effect<void, StoreError>
  ): Effect.Effect<JobInfo, NotFound | StoreError> {
    return Effect.flatMap(this.#lookup.info(id), (info) => {
      const job = this.#active.get(id)
      return job === undefined ? Effect.succeed(info) : Effect.map(use(job), () => job.info)
    })
  }

  /** Waits until the end of the job is on disk, so that the answer holds even if the manager is killed next. */
  #awaitEnd({ finished, id }: ActiveJob): Effect.Effect<void, StoreError> {
    const late = {
      operation: "stop",
      message: `the stop of job ${id} is not on disk yet; the manager tries again until it is`
    }
    return Effect.timeoutOrElse(finished.await, { duration: storeWaitMs, orElse: () => new StoreError(late) })
  }

  #remove(id: string, force: boolean) {
    return Effect.gen({ self: this }, function*() {
      const { state } = yield* this.#lookup.info(id)
      const job = this.#active.get(id)
      if (job !== undefined) {
        if (state !== "stopped") {
          if (!force) {
            return yield* new Conflict({ message: `job ${id} is ${state}: stop it first, or remove it with force` })
          }
          this.#scheduler.stop(job, { mode: "cancel", reason: "it is being removed" })
        }
        yield* job.finished.await
      }
      yield* this.#given.store.remove(id)
      // nobody sees it any longer, although what follows its end may still be under way
      if (job !== undefined) this.#deactivate(job)
      this.retention.removeJobFiles(id)
      this.retention.onRemoved()
    })
  }
}
