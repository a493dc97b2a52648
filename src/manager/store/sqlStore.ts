/** The `JobStore` in an SQL database: SQLite or PostgreSQL. */
import * as Arr from "effect/Array"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as SqlClient from "effect/sql/SqlClient"
import type { StoreError } from "../errors.ts"
import { type JobConditions, type JobFilter, JobStore, type StoredBundle } from "../JobStore.ts"
import { type JobInfo, type JobResult, JobState, type NumberedEvent } from "../models.ts"
import { adding } from "./addJobs.ts"
import type { Database } from "./database.ts"
import { type Failure, type Guard, guard, usualMs, within } from "./guardOperation.ts"
import { whereOf } from "./jobConditions.ts"
import { migrate } from "./migrations.ts"
import { type JobText, readEvent, readInfo, readJob, readResult, stateRow, writeEvent, writeResult } from "./records.ts"

/** The number of events in one statement, because databases limit its parameters. */
const eventsPerInsert = 1000
/** The number of jobs that are removed in one transaction, so that other operations get their turn. */
const removedAtOnce = 500
/** The limit for opening, because the migration of a large database takes long. */
const openMs = 300_000

/** The limit for closing the connections, because that of a frozen server never closes. */
const closeMs = 5_000

/** Opens the database, and migrates its tables. */
export const layer = <E extends Failure>(
  database: Database,
  client: Layer.Layer<SqlClient.SqlClient, E>,
  operationMs: number = usualMs
): Layer.Layer<JobStore, StoreError> =>
  Layer.effect(
    JobStore,
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      yield* Effect.addFinalizer((exit) => Effect.ignore(within(closeMs, () => "late")(Scope.close(scope, exit))))
      const context = yield* Layer.buildWithScope(client, scope).pipe(
        Effect.tap((context) =>
          Effect.andThen(database.lock, migrate(database)).pipe(
            Effect.provideContext(Context.add(context, Scope.Scope, scope))
          )
        ),
        guard(database, openMs)("open")
      )
      return yield* Effect.provideContext(make(database.kind, guard(database, operationMs)), context)
    })
  )

const make = Effect.fnUntraced(function*(database: Database["kind"], guarded: Guard) {
  const sql = yield* SqlClient.SqlClient
  const isPg = sql.onDialectOrElse({ pg: () => true, orElse: () => false })

  const get = Effect.fnUntraced(function*(id: string) {
    const [row] = yield* sql<JobText>`SELECT info, submission FROM autostop_jobs WHERE id = ${id}`
    return row === undefined ? undefined : yield* readJob(row)
  })

  const add = yield* adding(sql, guarded)

  const list = Effect.fnUntraced(function*({ before, limit, ...conditions }: JobFilter) {
    const where = whereOf(sql, conditions)
    if (where === undefined) return []
    const from = before === undefined ? [] : [sql`(submitted_at, id) < (${before.submittedAt}, ${before.id})`]
    const rows = yield* sql<{ info: string }>`
      SELECT info FROM autostop_jobs WHERE ${sql.and([...where, ...from])}
      ORDER BY submitted_at DESC, id DESC LIMIT ${limit}`
    return yield* Effect.forEach(rows, ({ info }) => readInfo(info))
  })

  /** Keeps a job from being removed until the end of the transaction. Returns false if there is no such job. */
  const lockJob = (id: string) =>
    Effect.map(
      sql`SELECT id FROM autostop_jobs WHERE id = ${id} ${sql.literal(isPg ? "FOR KEY SHARE" : "")}`,
      (rows) => rows.length > 0
    )

  const insertEvents = Effect.fnUntraced(function*(id: string, events: ReadonlyArray<NumberedEvent>) {
    const rows = yield* Effect.forEach(
      events,
      ({ event, seq }) => Effect.map(writeEvent(event), (text) => ({ job_id: id, seq, event: text }))
    )
    yield* Effect.forEach(
      Arr.chunksOf(rows, eventsPerInsert),
      (rows) => sql`INSERT INTO autostop_events ${sql.insert(rows)} ON CONFLICT (job_id, seq) DO NOTHING`,
      { discard: true }
    )
  })

  const append = (id: string, events: ReadonlyArray<NumberedEvent>) =>
    events.length === 0 ? Effect.void : sql.withTransaction(Effect.when(insertEvents(id, events), lockJob(id)))

  const update = Effect.fnUntraced(function*(info: JobInfo, events: ReadonlyArray<NumberedEvent>) {
    const state = yield* stateRow(info)
    const write = Effect.gen(function*() {
      yield* insertEvents(info.id, events)
      yield* sql`UPDATE autostop_jobs SET ${sql.update(state)} WHERE id = ${info.id} AND state <> 'stopped'`
    })
    yield* sql.withTransaction(Effect.when(write, lockJob(info.id)))
  })

  const events = Effect.fnUntraced(function*(id: string, after: number, limit: number) {
    const rows = yield* sql<{ seq: number; event: string }>`
      SELECT seq, event FROM autostop_events WHERE job_id = ${id} AND seq > ${after} ORDER BY seq LIMIT ${limit}`
    return yield* Effect.forEach(rows, ({ event, seq }) => Effect.map(readEvent(event), (event) => ({ seq, event })))
  })

  const finish = Effect.fnUntraced(function*(
    info: JobInfo,
    result: JobResult,
    events: ReadonlyArray<NumberedEvent>
  ) {
    const state = yield* stateRow(info)
    const row = { job_id: info.id, result: yield* writeResult(result) }
    const write = Effect.gen(function*() {
      const first = yield* sql`INSERT INTO autostop_results ${sql.insert(row)}
        ON CONFLICT (job_id) DO NOTHING RETURNING job_id`
      if (first.length === 0) return
      yield* insertEvents(info.id, events)
      yield* sql`UPDATE autostop_jobs SET ${sql.update(state)} WHERE id = ${info.id}`
    })
    yield* sql.withTransaction(Effect.when(write, lockJob(info.id)))
  })

  const result = Effect.fnUntraced(function*(id: string) {
    const [row] = yield* sql<{ result: string }>`SELECT result FROM autostop_results WHERE job_id = ${id}`
    return row === undefined ? undefined : yield* readResult(row.result)
  })

  const remove = (id: string) =>
    Effect.map(
      sql`DELETE FROM autostop_jobs WHERE id = ${id} AND state = 'stopped' RETURNING id`,
      (rows) => rows.length > 0
    )

  /**
   * The condition for a stopped job. No index has it in this form: SQLite would search one by the state, and then read and sort all
   * stopped jobs, where the index of `stopped_at` has what is asked for in its order.
   */
  const isStopped = sql.literal("COALESCE(state, '') = 'stopped' AND stopped_at IS NOT NULL")

  const removeSome = (before: string) =>
    Effect.map(
      sql<{ id: string }>`DELETE FROM autostop_jobs WHERE id IN (
        SELECT id FROM autostop_jobs WHERE ${isStopped} AND stopped_at < ${before}
        ORDER BY stopped_at LIMIT ${removedAtOnce}) RETURNING id`,
      (rows) => rows.map(({ id }) => id)
    )

  const removeStopped = Effect.fnUntraced(function*(before: string) {
    const removed: Array<string> = []
    while (true) {
      const some = yield* guarded("clean")(removeSome(before))
      removed.push(...some)
      if (some.length < removedAtOnce) return removed
      yield* Effect.sleep(0)
    }
  })

  const unfinished = Effect.gen(function*() {
    const rows = yield* sql<JobText>`SELECT info, submission FROM autostop_jobs
      WHERE ${sql.in("state", JobState.literals.filter((state) => state !== "stopped"))} ORDER BY submitted_at, id`
    return yield* Effect.forEach(rows, readJob)
  })

  const stoppedAt = Effect.fnUntraced(function*(nthLast: number) {
    const [row] = yield* sql<{ stopped_at: string }>`SELECT stopped_at FROM autostop_jobs WHERE ${isStopped}
      ORDER BY stopped_at DESC LIMIT 1 OFFSET ${nthLast - 1}`
    return row?.stopped_at
  })

  const addBundle = ({ content, hash, uploadedAt }: StoredBundle) =>
    sql`INSERT INTO autostop_bundles ${sql.insert({ hash, uploaded_at: uploadedAt, content })}
      ON CONFLICT (hash) DO NOTHING`

  const bundleBytes = Effect.fnUntraced(function*(but: string) {
    const [row] = yield* sql<{ bytes: number | string | null }>`
      SELECT SUM(octet_length(content)) AS bytes FROM autostop_bundles WHERE hash <> ${but}`
    // PostgreSQL's sums are texts
    return Number(row?.bytes ?? 0)
  })

  const bundle = Effect.fnUntraced(function*(hash: string) {
    const [row] = yield* sql<{ content: string }>`SELECT content FROM autostop_bundles WHERE hash = ${hash}`
    return row?.content
  })

  const removeBundles = (before: string) =>
    Effect.map(
      sql<{ hash: string }>`DELETE FROM autostop_bundles WHERE uploaded_at < ${before}
        AND NOT EXISTS (SELECT 1 FROM autostop_jobs WHERE bundle = autostop_bundles.hash) RETURNING hash`,
      (rows) => rows.map(({ hash }) => hash)
    )

  const countsOf = Effect.fnUntraced(function*(conditions: JobConditions) {
    const counts = { queued: 0, starting: 0, running: 0, stopping: 0, stopped: 0 }
    const where = whereOf(sql, conditions)
    if (where === undefined) return counts
    const rows = yield* sql<{ state: JobState; count: number }>`
      SELECT state, CAST(COUNT(*) AS INTEGER) AS count FROM autostop_jobs WHERE ${sql.and(where)} GROUP BY state`
    for (const { count, state } of rows) counts[state] = count
    return counts
  })

  return JobStore.of({
    database,
    add,
    get: (id) => guarded("get")(get(id)),
    list: (filter) => guarded("list")(list(filter)),
    update: (info, events = []) => guarded("update")(update(info, events)),
    append: (id, events) => guarded("append")(append(id, events)),
    events: (id, after, limit) => guarded("events")(events(id, after, limit)),
    finish: (info, result, events = []) => guarded("finish")(finish(info, result, events)),
    result: (id) => guarded("result")(result(id)),
    remove: (id) => guarded("remove")(remove(id)),
    removeStopped,
    stoppedAt: (nthLast) => guarded("clean")(stoppedAt(nthLast)),
    addBundle: (bundle) => guarded("upload")(Effect.asVoid(addBundle(bundle))),
    bundleBytes: (but) => guarded("upload")(bundleBytes(but)),
    bundle: (hash) => guarded("unpack")(bundle(hash)),
    removeBundles: (before) => guarded("clean")(removeBundles(before)),
    unfinished: guarded("unfinished")(unfinished),
    counts: guarded("counts")(countsOf({})),
    countsOf: (conditions) => guarded("counts")(countsOf(conditions))
  })
})
