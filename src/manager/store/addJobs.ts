/** Adds jobs to the store: those that are submitted together in one statement, which is one commit. */
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import type { SchemaError } from "effect/Schema"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import type { StoredJob } from "../JobStore.ts"
import { groupCommit } from "./groupCommit.ts"
import type { Guard } from "./guardOperation.ts"
import { jobRow, type JobText, readJob } from "./records.ts"

/** The largest number of jobs in one statement, because databases limit its parameters. */
const addedAtOnce = 250

interface Added {
  readonly stored: StoredJob
  readonly isNew: boolean
}

/** A job that is to be added, and its row. */
interface NewJob {
  readonly job: StoredJob
  readonly row: Effect.Success<ReturnType<typeof jobRow>>
}

type NewJobs = Arr.NonEmptyReadonlyArray<NewJob>

/** Returns the function that adds a job. */
export const adding = Effect.fnUntraced(function*(sql: SqlClient, guarded: Guard) {
  const jobsOf = Effect.fnUntraced(function*(ids: ReadonlyArray<string>) {
    const rows = yield* sql<JobText>`SELECT info, submission FROM autostop_jobs WHERE ${sql.in("id", ids)}`
    return yield* Effect.forEach(rows, readJob)
  })

  /** Returns the job of each id: the one that was there, or the one that was added. */
  const addEach = Effect.fnUntraced(
    function*(jobs: NewJobs): Effect.fn.Return<Map<string, Added>, SqlError | SchemaError> {
      const rows = yield* sql<{ id: string }>`INSERT INTO autostop_jobs ${sql.insert(Arr.map(jobs, ({ row }) => row))}
      ON CONFLICT (id) DO NOTHING RETURNING id`
      const ids = new Set(rows.map(({ id }) => id))
      const known = new Map(
        jobs.flatMap(({ job }) => ids.has(job.info.id) ? [[job.info.id, { stored: job, isNew: true }]] : [])
      )
      if (known.size === jobs.length) return known
      const others = jobs.filter(({ job }) => !known.has(job.info.id))
      for (const stored of yield* jobsOf(others.map(({ job }) => job.info.id))) {
        known.set(stored.info.id, { stored, isNew: false })
      }
      // a job that is not there was removed in between, and is added in the next turn
      const gone = others.filter(({ job }) => !known.has(job.info.id))
      return Arr.isReadonlyArrayNonEmpty(gone) ? new Map([...known, ...yield* addEach(gone)]) : known
    }
  )

  /** Of jobs with one id, the first is added. */
  const addAll = (jobs: NewJobs) =>
    Effect.map(
      addEach(Arr.dedupeWith(jobs, (one, other) => one.job.info.id === other.job.info.id)),
      (known) =>
        jobs.map(({ job }): Added => {
          const { isNew, stored } = known.get(job.info.id) ?? { stored: job, isNew: true }
          return { stored, isNew: isNew && stored === job }
        })
    )

  const addTogether = yield* groupCommit({
    write: (jobs: NewJobs) => guarded("add")(addAll(jobs)),
    most: addedAtOnce,
    isOfValue: ({ ofValue }) => ofValue === true
  })

  // a job that cannot be encoded is none of those that are added together
  return (job: StoredJob) => Effect.flatMap(guarded("add")(jobRow(job)), (row) => addTogether({ job, row }))
})
