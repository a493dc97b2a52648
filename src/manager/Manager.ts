/** Runs jobs for others: what the HTTP API is a thin layer over. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"
import type { StageReport } from "../StopReport.ts"
import type { Allowed } from "./code/confinement.ts"
import type { JobFilter, StoreError } from "./JobStore.ts"
import type { Limits } from "./JobProcess.ts"
import type { Change, JobInfo, JobResult, LogLine, NumberedEvent, StopCommand, Submission } from "./models.ts"

/** There is no such job, or nothing of that hash was uploaded. */
export class NotFound extends Schema.TaggedError<NotFound>()("NotFound", {
  id: Schema.String,
  message: Schema.String
}, { httpApiStatus: 404 }) {}

/** A submission that cannot be run: no such job, a payload or a setting that is refused. Nothing was started. */
export class Refused extends Schema.TaggedError<Refused>()("Refused", { message: Schema.String }, {
  httpApiStatus: 400
}) {}

/** What was asked for does not fit the state of the job: it still runs, say, or the id is that of another one. */
export class Conflict extends Schema.TaggedError<Conflict>()("Conflict", { message: Schema.String }, {
  httpApiStatus: 409
}) {}

/** The manager takes no jobs: it is being stopped. */
export class Unavailable extends Schema.TaggedError<Unavailable>()("Unavailable", { message: Schema.String }, {
  httpApiStatus: 503
}) {}

/** How long jobs that have stopped are kept, with all that belongs to them. */
export interface Retention {
  readonly ageMs: number
  /** At most that many. */
  readonly jobs: number
}

/** A job that can be submitted by its name. */
export interface Registered {
  readonly name: string
  /** The module that exports it, as a URL. */
  readonly module: string
}

export interface ManagerOptions {
  readonly jobs: ReadonlyArray<Registered>
  /** How many jobs run at once; the others are queued. */
  readonly concurrency: number
  /** Where logs are kept, bundles are unpacked, and what jobs leave behind if the manager dies. */
  readonly folder: string
  /** What each job may take. */
  readonly limits: Limits
  /** What is kept of jobs that have stopped. */
  readonly keep: Retention
  /** How much is kept of what each job prints, in bytes. */
  readonly logBytes: number
  /** What code that clients upload may do; undefined where they may not upload any. */
  readonly uploads: Allowed | undefined
}

export class Manager extends Context.Service<Manager, {
  /** On disk before it returns. One that has the id of a job that is there already, and asks for the same, is that job. */
  readonly submit: (
    submission: Submission
  ) => Effect.Effect<JobInfo, Refused | NotFound | Conflict | Unavailable | StoreError>
  /** Takes code, for jobs that are submitted with its hash. */
  readonly upload: (hash: string, content: Uint8Array) => Effect.Effect<void, Refused | StoreError>
  readonly get: (id: string) => Effect.Effect<JobInfo, NotFound | StoreError>
  readonly list: (filter: JobFilter) => Effect.Effect<ReadonlyArray<JobInfo>, StoreError>
  /** The whole id of the one that begins with this. */
  readonly resolve: (prefix: string) => Effect.Effect<string, NotFound | Conflict | StoreError>
  /** What happened after this event, and, with `follow`, what happens from then on, until the job has stopped. */
  readonly events: (id: string, options: { readonly after: number; readonly follow: boolean }) => Stream.Stream<
    NumberedEvent,
    NotFound | StoreError
  >
  /** What it printed after this line, and, with `follow`, what it prints from then on until it has stopped. */
  readonly logs: (id: string, options: { readonly after: number; readonly follow: boolean }) => Stream.Stream<
    LogLine,
    NotFound | StoreError
  >
  /** How all jobs stand that have not stopped, and then each change of one. */
  readonly changes: Stream.Stream<Change, StoreError>
  readonly stages: (id: string) => Effect.Effect<ReadonlyArray<StageReport>, NotFound | StoreError>
  /** Asks for a stop, and returns at once; where the job has not begun, once its end is on disk. */
  readonly stop: (id: string, command: StopCommand) => Effect.Effect<JobInfo, NotFound | StoreError>
  /** How it ended; fails with `Conflict` while it runs. */
  readonly result: (id: string) => Effect.Effect<JobResult, NotFound | Conflict | StoreError>
  /** Keeps a job that has a lease alive. */
  readonly renew: (id: string) => Effect.Effect<JobInfo, NotFound | StoreError>
  /** Removes a job. One that runs is stopped first where `force` says so, and else a `Conflict`. */
  readonly remove: (id: string, force: boolean) => Effect.Effect<void, NotFound | Conflict | StoreError>
  /** Removes those that have stopped before a time. How many. */
  readonly clean: (before: string) => Effect.Effect<number, StoreError>
  readonly jobs: ReadonlyArray<Registered>
  readonly counts: Effect.Effect<Readonly<Record<JobInfo["state"], number>>, StoreError>
  /** Asks every job that runs to stop, and returns at once. */
  readonly stopRunning: (command: StopCommand) => Effect.Effect<void>
  /** Starts what is queued, which waits until then: once there is somebody who can ask for it. */
  readonly begin: Effect.Effect<void>
  /** Takes no more jobs, stops those that run by their own policies, and waits for them. What is queued is kept. */
  readonly close: Effect.Effect<void>
  /** Whether it takes jobs. */
  readonly isReady: Effect.Effect<boolean>
}>()("autostop/manager/Manager") {}
