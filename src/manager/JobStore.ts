/** The job manager's store. Each operation is on disk when it returns, and survives a crash. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { StoreError } from "./errors.ts"
import type { JobInfo, JobResult, NumberedEvent, Place, Submission } from "./models.ts"

export interface StoredJob {
  readonly info: JobInfo
  readonly submission: Submission
}

export interface StoredBundle {
  readonly hash: string
  readonly content: string
  readonly uploadedAt: string
}

/** Conditions for jobs, each of which holds for the jobs that are meant. */
export interface JobConditions {
  readonly state?: JobInfo["state"] | undefined
  /** The name of the job. */
  readonly job?: string | undefined
  readonly outcome?: JobInfo["outcome"] | undefined
  /** `false`: only jobs that have stopped and were not clean. */
  readonly clean?: boolean | undefined
  readonly trigger?: JobInfo["trigger"] | undefined
  /** The earliest time of submission, in ISO 8601. */
  readonly since?: string | undefined
  /** A text that the id or the name has in it. Upper and lower case of ASCII letters are the same. */
  readonly text?: string | undefined
  /** The beginning of the id. */
  readonly prefix?: string | undefined
}

export interface JobFilter extends JobConditions {
  /** The place after which the page starts: only jobs before it are listed (by time of submission, then id). */
  readonly before?: Place | undefined
  readonly limit: number
}

export type JobCounts = Readonly<Record<JobInfo["state"], number>>

export class JobStore extends Context.Service<JobStore, {
  /** The kind of its database. */
  readonly database: "SQLite" | "PostgreSQL"
  /** Adds a job. If a job with this id exists, returns that job instead. */
  readonly add: (job: StoredJob) => Effect.Effect<{ readonly stored: StoredJob; readonly isNew: boolean }, StoreError>
  readonly get: (id: string) => Effect.Effect<StoredJob | undefined, StoreError>
  /** Returns the jobs, the latest first. */
  readonly list: (filter: JobFilter) => Effect.Effect<ReadonlyArray<JobInfo>, StoreError>
  /** Writes a job's info and the events that led to it, in one transaction. A stopped or removed job is not changed. */
  readonly update: (info: JobInfo, events?: ReadonlyArray<NumberedEvent>) => Effect.Effect<void, StoreError>
  /** Appends events in one transaction. An event whose number exists is skipped, so that a retry changes nothing. */
  readonly append: (id: string, events: ReadonlyArray<NumberedEvent>) => Effect.Effect<void, StoreError>
  /** Returns up to `limit` events after number `after`, in order. */
  readonly events: (
    id: string,
    after: number,
    limit: number
  ) => Effect.Effect<ReadonlyArray<NumberedEvent>, StoreError>
  /** Writes a job's last info, its result and its last events in one transaction. A second call changes nothing. */
  readonly finish: (
    info: JobInfo,
    result: JobResult,
    events?: ReadonlyArray<NumberedEvent>
  ) => Effect.Effect<void, StoreError>
  readonly result: (id: string) => Effect.Effect<JobResult | undefined, StoreError>
  /** Removes a stopped job with its events and result. Returns true if there was one. */
  readonly remove: (id: string) => Effect.Effect<boolean, StoreError>
  /** Removes the jobs that stopped before this time, and returns their ids. */
  readonly removeStopped: (before: string) => Effect.Effect<ReadonlyArray<string>, StoreError>
  /** Returns when the nth-last job stopped (1 is the last one), or `undefined` if fewer have. */
  readonly stoppedAt: (nthLast: number) => Effect.Effect<string | undefined, StoreError>
  /** Returns the jobs that have not stopped. A new manager takes them over. */
  readonly unfinished: Effect.Effect<ReadonlyArray<StoredJob>, StoreError>
  /** Adds a bundle. A bundle with this hash that exists is not changed. */
  readonly addBundle: (bundle: StoredBundle) => Effect.Effect<void, StoreError>
  /** Returns the size of all bundles but this one, in bytes. */
  readonly bundleBytes: (but: string) => Effect.Effect<number, StoreError>
  readonly bundle: (hash: string) => Effect.Effect<string | undefined, StoreError>
  /** Removes the bundles that were uploaded before this time and that no job uses, and returns their hashes. */
  readonly removeBundles: (before: string) => Effect.Effect<ReadonlyArray<string>, StoreError>
  /** Returns the number of all jobs in each state. */
  readonly counts: Effect.Effect<JobCounts, StoreError>
  /** Returns the number of jobs in each state that these conditions hold for. */
  readonly countsOf: (conditions: JobConditions) => Effect.Effect<JobCounts, StoreError>
}>()("autostop/manager/JobStore") {}
