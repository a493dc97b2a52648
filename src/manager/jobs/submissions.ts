import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import type { JobCode } from "../code/jobCode.ts"
import { type Busy, Conflict, type NotFound, Refused, type StoreError, Unavailable } from "../errors.ts"
import type { Launcher } from "../JobProcess.ts"
import type { JobStore, StoredJob } from "../JobStore.ts"
import { type JobVariables, unknownVariable, variablesOf } from "../jobVariables.ts"
import { JobInfo, type Submission } from "../models.ts"
import type { ActiveJob } from "./activeJob.ts"
import { QueueQuota } from "./queueQuota.ts"

export interface SubmissionsOptions {
  readonly store: JobStore["Service"]
  readonly launcher: Pick<Launcher, "check">
  readonly code: JobCode
  readonly variables: JobVariables
  /** The largest number of jobs that wait. */
  readonly queued: number
  /** Returns the number of jobs that wait. */
  readonly waiting: () => number
  readonly isClosing: () => boolean
  readonly active: ReadonlyMap<string, ActiveJob>
  /** Takes a job that is on disk, and no manager's yet. */
  readonly onStored: (stored: StoredJob) => void
  /** Returns the time in ISO 8601. */
  readonly now: () => string
}

type Refusals = Refused | NotFound | Conflict | Busy | Unavailable | StoreError

/** Takes submissions: each is checked, and on disk before it is answered. */
export class Submissions {
  readonly #options: SubmissionsOptions
  readonly #quota: QueueQuota

  constructor(options: SubmissionsOptions) {
    const { queued, store, waiting } = options
    this.#options = options
    this.#quota = new QueueQuota({
      limit: queued,
      waiting,
      isKnown: (id) => Effect.map(store.get(id), (stored) => stored !== undefined)
    })
  }

  /** Adds a job, or returns that which has its id, if it was submitted in the same way. */
  readonly submit = (submission: Submission, traceparent?: string): Effect.Effect<JobInfo, Refusals> =>
    this.#quota.within(submission, this.#add(submission, traceparent))

  #add(submission: Submission, traceparent: string | undefined) {
    return Effect.gen({ self: this }, function*() {
      const { active, code, isClosing, launcher, now, onStored, store, variables } = this.#options
      if (isClosing()) {
        return yield* new Unavailable({
          message: "the job manager is being stopped: submit the job once it runs again"
        })
      }
      const found = yield* code.of(submission)
      const fault = unknownVariable(variables, submission.env)
      if (fault !== undefined) return yield* new Refused({ message: fault })
      yield* launcher.check(found, submission, variablesOf(variables))
      const id = submission.id ?? crypto.randomUUID()
      const info = new JobInfo({
        id,
        job: submission.job,
        state: "queued",
        priority: submission.priority ?? 0,
        submittedAt: now(),
        ...(traceparent === undefined ? {} : { traceparent })
      })
      const { stored } = yield* Effect.catch(
        store.add({ info, submission: { ...submission, id } }),
        (error) => Effect.andThen(code.checkBundle(submission), Effect.fail(error))
      )
      if (!Equal.equals(stored.submission, { ...submission, id })) {
        return yield* new Conflict({
          message: `the id ${id} belongs to another job, "${stored.info.job}": submit with another id`
        })
      }
      // the job may also be one that an earlier submit has stored, which failed before its answer
      if (stored.info.state === "queued" && !active.has(id)) onStored(stored)
      return active.get(id)?.info ?? stored.info
    })
  }
}
