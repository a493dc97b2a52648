/** What a job manager keeps: on disk before it is answered, and there again after a crash. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { JobInfo, JobResult, NumberedEvent, Submission } from "./models.ts"

/** The store cannot be read or written: a full disk, a locked or lost database. */
export class StoreError extends Schema.TaggedError<StoreError>()("StoreError", {
  operation: Schema.String,
  message: Schema.String
}, { httpApiStatus: 503 }) {}

export interface StoredJob {
  readonly info: JobInfo
  readonly submission: Submission
}

export interface StoredBundle {
  readonly hash: string
  readonly content: string
  readonly uploadedAt: string
}

export interface JobFilter {
  readonly state?: JobInfo["state"] | undefined
  readonly job?: string | undefined
  /** Only those submitted before the one of this id (by time, then id): the next page. None where it was removed. */
  readonly before?: string | undefined
  readonly limit: number
}

export class JobStore extends Context.Service<JobStore, {
  /** Adds a job; gives the one that has this id already, where there is one. */
  readonly add: (job: StoredJob) => Effect.Effect<{ readonly stored: StoredJob; readonly isNew: boolean }, StoreError>
  readonly get: (id: string) => Effect.Effect<StoredJob | undefined, StoreError>
  /** The ids that begin with this, at most that many. */
  readonly withPrefix: (prefix: string, limit: number) => Effect.Effect<ReadonlyArray<string>, StoreError>
  /** The latest first. */
  readonly list: (filter: JobFilter) => Effect.Effect<ReadonlyArray<JobInfo>, StoreError>
  /**
   * Where a job stands, together with the events that say so, if any. Has no effect on where one stands that has stopped,
   * and none on one that is not there any more.
   */
  readonly update: (info: JobInfo, events?: ReadonlyArray<NumberedEvent>) => Effect.Effect<void, StoreError>
  /** Appends events, in one transaction. One whose number is there already stays as it is, so it can be tried again. */
  readonly append: (id: string, events: ReadonlyArray<NumberedEvent>) => Effect.Effect<void, StoreError>
  /** The events after this one, in order, at most that many. */
  readonly events: (
    id: string,
    after: number,
    limit: number
  ) => Effect.Effect<ReadonlyArray<NumberedEvent>, StoreError>
  /** The last word of a job: its info, its result and its last events, together. Who finishes it again changes nothing. */
  readonly finish: (
    info: JobInfo,
    result: JobResult,
    events?: ReadonlyArray<NumberedEvent>
  ) => Effect.Effect<void, StoreError>
  readonly result: (id: string) => Effect.Effect<JobResult | undefined, StoreError>
  /** Removes a job that has stopped, with all that belongs to it. Whether it was there. */
  readonly remove: (id: string) => Effect.Effect<boolean, StoreError>
  /** Removes those that stopped before this time; their ids. */
  readonly removeStopped: (before: string) => Effect.Effect<ReadonlyArray<string>, StoreError>
  /** When the one stopped that is the how manieth of those that did last; none where there are fewer. */
  readonly stoppedAt: (place: number) => Effect.Effect<string | undefined, StoreError>
  /** Those that have not stopped: what a manager that starts again has to see to. */
  readonly unfinished: Effect.Effect<ReadonlyArray<StoredJob>, StoreError>
  /** Adds uploaded code; that of a hash that is there already stays as it is. */
  readonly addBundle: (bundle: StoredBundle) => Effect.Effect<void, StoreError>
  readonly bundle: (hash: string) => Effect.Effect<string | undefined, StoreError>
  /** Removes those uploaded before this time that no job has; their hashes. */
  readonly removeBundles: (before: string) => Effect.Effect<ReadonlyArray<string>, StoreError>
  readonly counts: Effect.Effect<Readonly<Record<JobInfo["state"], number>>, StoreError>
}>()("autostop/manager/JobStore") {}
