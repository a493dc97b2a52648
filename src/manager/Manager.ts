/** Runs jobs for others. The HTTP API is a thin layer over this service. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import type { StageReport } from "../StopReport.ts"
import type { Busy, Conflict, NotFound, Refused, StoreError, Unavailable } from "./errors.ts"
import type { Limits, Permissions } from "./JobProcess.ts"
import type { JobVariables } from "./jobVariables.ts"
import type { JobConditions, JobCounts, JobFilter } from "./JobStore.ts"
import type {
  Change,
  JobHistory,
  JobInfo,
  JobResult,
  JobType,
  LogLine,
  ManagerStatus,
  NumberedEvent,
  Retry,
  StopCommand,
  Submission
} from "./models.ts"

/** The lines of a log that a reader wants. */
export interface LogQuery {
  /** The earliest time of a line, in ISO 8601. */
  readonly since?: string | undefined
  /** A text that a line has in it. */
  readonly grep?: string | undefined
  /** The number of lines that are emitted of those that there are when the reader begins: the last ones. */
  readonly tail?: number | undefined
}

/** The limits within which stopped jobs are kept, with their events, results and logs. */
export interface Retention {
  readonly ageMs: number
  /** The largest number of stopped jobs; the latest are kept. */
  readonly jobs: number
}

/** The limits of what clients may leave with a manager. */
export interface Quotas {
  /** The largest number of jobs that wait. */
  readonly queued: number
  /** The size of all bundles together, in bytes. */
  readonly bundleBytes: number
}

/** A job that can be submitted by its name. */
export interface RegisteredJob {
  readonly name: string
  /** The URL of the module that exports the job. */
  readonly module: string
}

export interface ManagerOptions {
  readonly jobs: ReadonlyArray<RegisteredJob>
  /** The largest number of jobs that run at once; the others wait in the queue. */
  readonly concurrency: number
  /** The largest number of processes that wait for a job, one for each free slot. */
  readonly spares: number
  /** The folder for logs, unpacked bundles, and the results that job processes write. */
  readonly folder: string
  /** The limits of each job. */
  readonly limits: Limits
  readonly keep: Retention
  readonly variables: JobVariables
  /** The largest size of each job's output that is kept, in bytes. */
  readonly logBytes: number
  readonly quotas: Quotas
  /** The permissions of uploaded code; `undefined` if clients cannot upload any. */
  readonly uploads: Permissions | undefined
}

export class Manager extends Context.Service<Manager, {
  /** Adds a job; it is on disk before this returns. An equal submission with the id of a job that exists returns that job. */
  readonly submit: (
    submission: Submission,
    traceparent?: string
  ) => Effect.Effect<JobInfo, Refused | NotFound | Conflict | Busy | Unavailable | StoreError>
  /**
   * Submits a job again that has stopped, as a new job of this or a random id. Fails with `Conflict` if it has not stopped. Its
   * lease is left out, because the client that renewed it is not there.
   */
  readonly retry: (
    id: string,
    retry: Retry,
    traceparent?: string
  ) => Effect.Effect<JobInfo, Refused | NotFound | Conflict | Busy | Unavailable | StoreError>
  /** Stores a bundle, for jobs that are submitted with its hash. */
  readonly upload: (hash: string, content: Uint8Array) => Effect.Effect<void, Refused | Busy | StoreError>
  readonly get: (id: string) => Effect.Effect<JobInfo, NotFound | StoreError>
  readonly list: (filter: JobFilter) => Effect.Effect<ReadonlyArray<JobInfo>, StoreError>
  /** Emits the events after number `after`, and with `follow` also later ones, until the job has stopped. */
  readonly events: (id: string, options: { readonly after: number; readonly follow: boolean }) => Stream.Stream<
    NumberedEvent,
    NotFound | StoreError
  >
  /**
   * Emits the output lines after number `after` that a query selects, and with `follow` also later ones, until the job has
   * stopped.
   */
  readonly logs: (
    id: string,
    options: { readonly after: number; readonly follow: boolean } & LogQuery
  ) => Stream.Stream<LogLine, NotFound | StoreError>
  /** Emits an overview of all jobs that have not stopped, and then each change. */
  readonly changes: Stream.Stream<Change, StoreError>
  readonly stages: (id: string) => Effect.Effect<ReadonlyArray<StageReport>, NotFound | StoreError>
  /** Returns what a job has used and done, with the samples after a time in ISO 8601; nothing once it has stopped. */
  readonly history: (id: string, after?: string) => Effect.Effect<JobHistory, NotFound | StoreError>
  /** Requests a stop and returns at once. If the job has no process, it returns once the job's end is on disk. */
  readonly stop: (id: string, command: StopCommand) => Effect.Effect<JobInfo, NotFound | StoreError>
  /** Returns how the job ended; fails with `Conflict` if it has not stopped. */
  readonly result: (id: string) => Effect.Effect<JobResult, NotFound | Conflict | StoreError>
  /** Renews the lease of a job, if it has one. */
  readonly renew: (id: string) => Effect.Effect<JobInfo, NotFound | StoreError>
  /** Removes a job. If it has not stopped, `force` stops it first; without `force` this fails with `Conflict`. */
  readonly remove: (id: string, force: boolean) => Effect.Effect<void, NotFound | Conflict | StoreError>
  /** Removes the jobs that stopped before a time (ISO 8601), and returns how many there were. */
  readonly clean: (before: string) => Effect.Effect<number, StoreError>
  readonly jobs: ReadonlyArray<RegisteredJob>
  /** Returns its limits, what it keeps jobs in, and who watches it. */
  readonly status: () => ManagerStatus
  /** Describes a registered job. */
  readonly jobType: (name: string) => Effect.Effect<JobType, NotFound | Refused | Busy>
  readonly counts: Effect.Effect<JobCounts, StoreError>
  /** Returns the metrics of the manager and of its jobs, in the text format of Prometheus. */
  readonly metrics: Effect.Effect<string, StoreError>
  /** Returns the number of jobs in each state that these conditions hold for. */
  readonly countsOf: (conditions: JobConditions) => Effect.Effect<JobCounts, StoreError>
  /** Requests a stop of every job that runs, and returns at once. */
  readonly stopRunning: (command: StopCommand) => Effect.Effect<void>
  /** Starts queued jobs from now on. They wait until then, so that a server is there before the first job starts. */
  readonly begin: Effect.Effect<void>
  /** Takes no more jobs, stops those that run by their own policies, and waits for them. Queued jobs are kept. */
  readonly close: Effect.Effect<void>
  /** Returns true if the manager takes jobs. */
  readonly isReady: Effect.Effect<boolean>
}>()("autostop/manager/Manager") {}
