// A thin `SqlClient` over the SQLite that comes with Node: one connection, used by one fiber at a time.
import { Effect, Layer, Predicate, Semaphore, Stream } from "effect"
import * as Reactivity from "effect/reactivity/Reactivity"
import { SqlClient, type SqlConnection, SqlError, Statement } from "effect/sql"
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite"

/** Opens a database, which is closed with the layer. `filename` may be ":memory:". */
export const layer = (filename: string): Layer.Layer<SqlClient.SqlClient, SqlError.SqlError> =>
  Layer.effect(SqlClient.SqlClient, make(filename)).pipe(Layer.provide(Reactivity.layer))

const make = Effect.fnUntraced(function*(filename: string) {
  const connection = yield* Effect.acquireRelease(
    attempt("open", () => new NodeConnection(filename)),
    (connection) => Effect.sync(() => connection.database.close())
  )
  return yield* SqlClient.make({
    ...SqlClient.makeSqliteAcquirers({
      connection: Effect.succeed(connection),
      semaphore: yield* Semaphore.make(1),
      isTransaction: (connection) => connection.database.isTransaction
    }),
    compiler: Statement.makeCompilerSqlite(),
    driver: "node-sqlite",
    spanAttributes: [["db.system.name", "sqlite"]],
    prepareTransactionControls: true
  })
})

/** How many prepared statements are kept. */
const cacheSize = 64

class NodeConnection implements SqlConnection.Connection {
  readonly database: DatabaseSync
  readonly #prepared = new Map<string, StatementSync>()

  constructor(filename: string) {
    this.database = new DatabaseSync(filename)
  }

  readonly execute: SqlConnection.Connection["execute"] = (sql, params, transformRows) =>
    Effect.map(this.#all(() => this.#prepare(sql), params), (rows) => transformRows?.(rows) ?? rows)

  readonly executeRaw: SqlConnection.Connection["executeRaw"] = (sql, params) =>
    this.#all(() => this.#prepare(sql), params)

  readonly executeUnprepared: SqlConnection.Connection["executeUnprepared"] = (sql, params, transformRows) =>
    Effect.map(this.#all(() => this.database.prepare(sql), params), (rows) => transformRows?.(rows) ?? rows)

  readonly executeValues: SqlConnection.Connection["executeValues"] = (sql, params) =>
    Effect.map(
      this.#all(() => {
        const statement = this.database.prepare(sql)
        // columns of the same name differ only in their position
        statement.setReturnArrays(true)
        return statement
      }, params),
      (rows) => rows.map((row) => Object.values(row))
    )

  readonly executeValuesUnprepared = this.executeValues

  /** Rows are read at once: a cursor left open would keep the database from committing. */
  readonly executeStream: SqlConnection.Connection["executeStream"] = (sql, params, transformRows) =>
    Stream.fromIterableEffect(this.execute(sql, params, transformRows))

  #all(statement: () => StatementSync, params: ReadonlyArray<unknown>) {
    // safe: what cannot be bound is refused by SQLite, as an error of the statement
    return attempt("execute", () => statement().all(...params as ReadonlyArray<SQLInputValue>))
  }

  #prepare(sql: string): StatementSync {
    const known = this.#prepared.get(sql)
    if (known !== undefined) return known
    const statement = this.database.prepare(sql)
    for (const oldest of this.#prepared.keys()) {
      if (this.#prepared.size < cacheSize) break
      this.#prepared.delete(oldest)
    }
    this.#prepared.set(sql, statement)
    return statement
  }
}

const attempt = <A>(operation: string, f: () => A): Effect.Effect<A, SqlError.SqlError> =>
  Effect.try({ try: f, catch: (cause) => sqlError(operation, cause) })

const sqlError = (operation: string, cause: unknown): SqlError.SqlError => {
  // Node calls SQLite's own code `errcode`, where errors are classified by `errno`
  if (Predicate.hasProperty(cause, "errcode")) Object.assign(cause, { errno: cause.errcode })
  const message = cause instanceof Error ? cause.message : String(cause)
  return new SqlError.SqlError({ reason: SqlError.classifySqliteError(cause, { operation, message }) })
}
