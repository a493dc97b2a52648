/** The tables of the store, and the migrations from older versions. */
import * as Effect from "effect/Effect"
import * as Migrator from "effect/sql/Migrator"
import * as SqlClient from "effect/sql/SqlClient"
import { StoreError } from "../errors.ts"
import type { Database } from "./database.ts"

/** Compares ids and times as bytes, whatever the language of the database is. */
const comparedText = (sql: SqlClient.SqlClient) =>
  sql.literal(sql.onDialectOrElse({ pg: () => `TEXT COLLATE "C"`, orElse: () => "TEXT" }))

/**
 * Finds the value of a field in the JSON of an info, which no function of both databases reads whatever it holds. The JSON has
 * no white space and no object within, and a quote within a text follows a backslash.
 */
const writtenText = (sql: SqlClient.SqlClient, field: string, values: ReadonlyArray<string>) =>
  sql.literal(
    `CASE ${values.map((value) => `WHEN info LIKE '%"${field}":"${value}"%' THEN '${value}'`).join(" ")} END`
  )

/** The migrations by their numbers, which are the versions of the tables. A released migration is never changed. */
const migrations = {
  "1_jobs": Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const text = comparedText(sql)
    yield* sql`CREATE TABLE autostop_jobs (
      id ${text} NOT NULL PRIMARY KEY,
      job ${text} NOT NULL,
      state ${text} NOT NULL,
      submitted_at ${text} NOT NULL,
      stopped_at ${text},
      info TEXT NOT NULL,
      submission TEXT NOT NULL
    )`
    // each filter of a list has an index in the order of the list, so that the cost of a page depends on its size alone
    yield* sql`CREATE INDEX autostop_jobs_latest ON autostop_jobs (submitted_at, id)`
    yield* sql`CREATE INDEX autostop_jobs_state ON autostop_jobs (state, submitted_at, id)`
    yield* sql`CREATE INDEX autostop_jobs_job ON autostop_jobs (job, submitted_at, id)`
    yield* sql`CREATE INDEX autostop_jobs_job_state ON autostop_jobs (job, state, submitted_at, id)`
    yield* sql`CREATE INDEX autostop_jobs_stopped ON autostop_jobs (stopped_at)`
    yield* sql`CREATE TABLE autostop_events (
      job_id ${text} NOT NULL REFERENCES autostop_jobs (id) ON DELETE CASCADE,
      seq INTEGER NOT NULL,
      event TEXT NOT NULL,
      PRIMARY KEY (job_id, seq)
    )`
    yield* sql`CREATE TABLE autostop_results (
      job_id ${text} NOT NULL PRIMARY KEY REFERENCES autostop_jobs (id) ON DELETE CASCADE,
      result TEXT NOT NULL
    )`
  }),
  "2_bundles": Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const text = comparedText(sql)
    yield* sql`CREATE TABLE autostop_bundles (
      hash ${text} NOT NULL PRIMARY KEY,
      uploaded_at ${text} NOT NULL,
      content TEXT NOT NULL
    )`
    yield* sql`ALTER TABLE autostop_jobs ADD COLUMN bundle ${text} REFERENCES autostop_bundles (hash)`
    yield* sql`CREATE INDEX autostop_jobs_bundle ON autostop_jobs (bundle)`
  }),
  "3_ends": Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const text = comparedText(sql)
    yield* sql`ALTER TABLE autostop_jobs ADD COLUMN outcome ${text}`
    yield* sql`ALTER TABLE autostop_jobs ADD COLUMN clean INTEGER`
    yield* sql`ALTER TABLE autostop_jobs ADD COLUMN stop_trigger ${text}`
    yield* sql`UPDATE autostop_jobs SET
      outcome = ${writtenText(sql, "outcome", ["succeeded", "failed", "cancelled"])},
      clean = CASE WHEN info LIKE '%"clean":true%' THEN 1 WHEN info LIKE '%"clean":false%' THEN 0 END,
      stop_trigger = ${
      writtenText(sql, "trigger", ["completed", "failed", "stopped", "signal", "idle", "deadline", "lost"])
    }`
    yield* sql`CREATE INDEX autostop_jobs_outcome ON autostop_jobs (outcome, submitted_at, id)`
    yield* sql`CREATE INDEX autostop_jobs_trigger ON autostop_jobs (stop_trigger, submitted_at, id)`
    yield* sql`CREATE INDEX autostop_jobs_unclean ON autostop_jobs (submitted_at, id) WHERE clean = 0`
  })
}

/**
 * The table of the migrations. It is prefixed like the other tables, because a PostgreSQL database may have tables of
 * others.
 */
const table = "autostop_migrations"

const newest = Math.max(...Object.keys(migrations).map((name) => Number.parseInt(name, 10)))

/** Migrates the tables to this version in one transaction. Of several managers that do so at once, one migrates them. */
export const migrate = Effect.fnUntraced(function*(database: Database) {
  yield* Migrator.make({})({ loader: Migrator.fromRecord(migrations), table })
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ version: number | null }>`SELECT MAX(migration_id) AS version FROM ${sql(table)}`
  const version = rows[0]?.version ?? 0
  if (version <= newest) return
  return yield* new StoreError({
    operation: "open",
    message: `${database.name} was written by a newer version of autostop (its tables are version ${version}, this ` +
      `one knows ${newest}): update autostop, or use another database`
  })
})
