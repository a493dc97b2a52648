import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { Environment, type Job, type JobRun, LocalEnvironment } from "../../src/index.ts"
import { OneShotLatch } from "../../src/base/oneShotLatch.ts"
import { encodeExit } from "../../src/manager/exitCodec.ts"
import { Busy, Conflict, NotFound, Refused, Unavailable } from "../../src/manager/errors.ts"
import type { JobConditions } from "../../src/manager/JobStore.ts"
import { JobMetrics } from "../../src/manager/jobs/jobMetrics.ts"
import { Manager } from "../../src/manager/Manager.ts"
import { JobInfo, type JobResult, type NumberedEvent, type Submission } from "../../src/manager/models.ts"

/** What a test can do to a manager, other than ask it. */
export class Control extends Context.Service<Control, {
  ready: boolean
  /** The number of submits that are refused because the manager is busy. */
  busy: number
  /** Every submission that came, also those that came twice. */
  readonly submissions: Array<Submission>
  /** How often each lease was renewed. */
  readonly renewals: Map<string, number>
  /** What each reader of events asked for. */
  readonly readers: Array<number>
  /** How a job ended, once it has. */
  readonly awaitResult: (id: string) => Effect.Effect<JobResult, NotFound>
}>()("test/Control") {}

interface Entry {
  readonly submission: Submission
  readonly run: JobRun<unknown, unknown>
  info: JobInfo
  readonly events: Array<NumberedEvent>
  news: OneShotLatch
  readonly finished: OneShotLatch
  result?: JobResult
}

/** A manager that keeps nothing, and runs its jobs right here. */
export const memoryManager = (...jobs: ReadonlyArray<Job.Any>): Layer.Layer<Manager | Control> =>
  Layer.effectContext(Effect.gen(function*() {
    const scope = yield* Scope.Scope
    const environment = yield* Environment
    const entries = new Map<string, Entry>()
    const metrics = new JobMetrics(() => 0)
    yield* Effect.addFinalizer(() => Effect.sync(metrics.end))
    const entry = (id: string) =>
      Effect.suspend(() => {
        const found = entries.get(id)
        return found === undefined
          ? Effect.fail(new NotFound({ id, message: `there is no job ${id}` }))
          : Effect.succeed(found)
      })
    const control: Control["Service"] = {
      ready: true,
      busy: 0,
      submissions: [],
      renewals: new Map(),
      readers: [],
      awaitResult: (id) =>
        Effect.flatMap(entry(id), (entry) =>
          Effect.andThen(
            entry.finished.await,
            Effect.suspend(() => entry.result === undefined ? Effect.never : Effect.succeed(entry.result))
          ))
    }
    const record = (entry: Entry) =>
      Effect.gen(function*() {
        yield* Stream.runForEach(entry.run.events, (event) =>
          Effect.sync(() => {
            entry.events.push({ seq: entry.events.length + 1, event })
            const state = event._tag === "StopRequested"
              ? "stopping"
              : event._tag === "RunStarted"
              ? "running"
              : undefined
            if (state !== undefined) entry.info = new JobInfo({ ...entry.info, state })
            tellOf(entry)
          }))
        const { exit, report } = yield* entry.run.result
        const job = jobs.find(({ name }) => name === entry.info.job)
        if (job === undefined) return
        entry.result = { exit: yield* encodeExit(job, exit), report }
        const { clean, outcome, stoppedAt, trigger } = report
        entry.info = new JobInfo({ ...entry.info, state: "stopped", clean, outcome, stoppedAt, trigger })
        entry.finished.open()
        tellOf(entry)
      })

    const manager: Manager["Service"] = Manager.of({
      jobType: (name) => Effect.succeed({ name }),
      submit: (submission) =>
        Effect.gen(function*() {
          control.submissions.push(submission)
          if (control.busy-- > 0) return yield* new Busy({ message: "it has enough to do" })
          if (!control.ready) return yield* new Unavailable({ message: "it takes no jobs" })
          const job = jobs.find(({ name }) => name === submission.job)
          if (job === undefined) return yield* new Refused({ message: `there is no job "${submission.job}"` })
          const known = submission.id === undefined ? undefined : entries.get(submission.id)
          if (known !== undefined) {
            if (JSON.stringify(known.submission) === JSON.stringify(submission)) return known.info
            return yield* new Conflict({ message: `the id ${submission.id} is taken` })
          }
          const refuse = (error: Error) => new Refused({ message: error.message })
          const decode = Schema.decodeUnknownEffect(Schema.toCodecJson(job.payload))
          const payload = yield* Effect.mapError(
            // safe: the payloads of tests need no services
            decode(submission.payload ?? {}) as Effect.Effect<unknown, Schema.SchemaError>,
            refuse
          )
          const run = yield* environment.submit(job, payload, submission).pipe(
            Effect.provideService(Scope.Scope, scope),
            Effect.mapError(refuse)
          )
          const info = new JobInfo({
            id: run.id,
            job: job.name,
            state: "starting",
            priority: submission.priority ?? 0,
            submittedAt: new Date().toISOString()
          })
          const entry: Entry = {
            submission,
            run,
            info,
            events: [],
            news: new OneShotLatch(),
            finished: new OneShotLatch()
          }
          entries.set(run.id, entry)
          yield* Effect.forkIn(record(entry), scope)
          return info
        }),
      upload: () => Effect.fail(new Refused({ message: "this manager takes no uploads" })),
      get: (id) => Effect.map(entry(id), ({ info }) => info),
      retry: (id, { id: newId }) =>
        Effect.flatMap(
          entry(id),
          ({ submission }) => manager.submit(newId === undefined ? submission : { ...submission, id: newId })
        ),
      list: ({ limit, ...conditions }) =>
        Effect.sync(() =>
          [...entries.values()].toReversed().map(({ info }) => info).filter(meets(conditions)).slice(0, limit)
        ),
      events: (id, { after }) => {
        control.readers.push(after)
        return Stream.unwrap(Effect.map(entry(id), (entry) => eventsOf(entry, after)))
      },
      logs: (id, { after }) =>
        Stream.unwrap(Effect.map(entry(id), () =>
          Stream.fromIterable(
            ["one", "two", "three"].map((text, i) => ({ seq: i + 1, at: "", stream: "stdout" as const, text }))
              .slice(after)
          ))),
      changes: Stream.never,
      stages: (id) => Effect.flatMap(entry(id), ({ run }) => run.stages),
      status: () => ({ store: "SQLite", concurrency: 1, queued: 1, spares: 0, watchers: 0 }),
      history: (id) => Effect.as(entry(id), { stages: [], samples: [] }),
      stop: (id, command) =>
        Effect.flatMap(entry(id), (entry) => Effect.map(entry.run.stop(command), () => entry.info)),
      result: (id) =>
        Effect.flatMap(
          entry(id),
          ({ result }) =>
            result === undefined ? Effect.fail(new Conflict({ message: "it still runs" })) : Effect.succeed(result)
        ),
      renew: (id) =>
        Effect.map(entry(id), ({ info }) => {
          control.renewals.set(id, (control.renewals.get(id) ?? 0) + 1)
          return info
        }),
      remove: (id, force) =>
        Effect.gen(function*() {
          const { finished, info, run } = yield* entry(id)
          if (info.state !== "stopped" && !force) return yield* new Conflict({ message: "it still runs" })
          yield* run.stop()
          yield* finished.await
          entries.delete(id)
        }),
      clean: (before) =>
        Effect.sync(() => {
          const old = [...entries.values()].filter(({ info }) => (info.stoppedAt ?? "9") < before)
          for (const { info } of old) entries.delete(info.id)
          return old.length
        }),
      jobs: jobs.map(({ name }) => ({ name, module: "" })),
      counts: Effect.suspend(() => manager.countsOf({})),
      metrics: Effect.zipWith(
        Effect.suspend(() => manager.counts),
        Effect.suspend(() => manager.isReady),
        (counts, ready) => metrics.text(counts, ready)
      ),
      countsOf: (conditions) =>
        Effect.sync(() => {
          const counts = { queued: 0, starting: 0, running: 0, stopping: 0, stopped: 0 }
          for (const { info } of entries.values()) if (meets(conditions)(info)) counts[info.state]++
          return counts
        }),
      stopRunning: (command) => Effect.forEach(entries.values(), ({ run }) => run.stop(command), { discard: true }),
      begin: Effect.void,
      close: Effect.void,
      isReady: Effect.sync(() => control.ready)
    })
    return Context.make(Manager, manager).pipe(Context.add(Control, control))
  })).pipe(Layer.provide(LocalEnvironment.layer))

const meets =
  ({ clean, job, outcome, prefix = "", since = "", state, text = "", trigger }: JobConditions) => (info: JobInfo) =>
    (state === undefined || info.state === state) && (job === undefined || info.job === job) &&
    (outcome === undefined || info.outcome === outcome) && (clean === undefined || info.clean === clean) &&
    (trigger === undefined || info.trigger === trigger) && info.submittedAt >= since && info.id.startsWith(prefix) &&
    `${info.id} ${info.job}`.includes(text)

const tellOf = (entry: Entry) => {
  const { news } = entry
  entry.news = new OneShotLatch()
  news.open()
}

/** One at a time, so that a connection can break between any two of them. */
const eventsOf = (entry: Entry, after: number): Stream.Stream<NumberedEvent> =>
  Stream.unfold(after, function next(last): Effect.Effect<readonly [NumberedEvent, number] | undefined> {
    return Effect.suspend(() => {
      const event = entry.events.at(last)
      if (event !== undefined && last < entry.events.length) return Effect.succeed([event, last + 1] as const)
      return entry.finished.isOpen ? Effect.succeed(undefined) : Effect.andThen(entry.news.await, next(last))
    })
  })
