/** A thin `SqlClient` over Node's own SQLite: one connection to a file, used by one fiber at a time. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import * as Reactivity from "effect/reactivity/Reactivity"
import * as Semaphore from "effect/Semaphore"
import * as SqlClient from "effect/sql/SqlClient"
import type * as SqlConnection from "effect/sql/SqlConnection"
import * as SqlError from "effect/sql/SqlError"
import * as Statement from "effect/sql/Statement"
import * as Stream from "effect/Stream"
import { existsSync, realpathSync, statSync } from "node:fs"
import { resolve } from "node:path"
import { messageOf } from "../../base/errorText.ts"
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite"
import { StoreError } from "../errors.ts"
import { createPrivate, keepPrivate } from "../privateFiles.ts"
import { causeCode, causeText, type Database, inUse } from "./database.ts"
import { lockFile } from "./fileLock.ts"

/** Opens a file, and creates it if there is none. It is closed with the layer. */
export const layer = (filename: string): Layer.Layer<SqlClient.SqlClient, SqlError.SqlError> =>
  Layer.effect(SqlClient.SqlClient, make(filename)).pipe(Layer.provide(Reactivity.layer))

export const database = (filename: string): Database => {
  const name = resolve(filename)
  return { kind: "SQLite", name, advice: (error) => advice(name, error), lock: lock(name) }
}

/** The file is there: it was opened before. Links to it are other names of the same file. */
const lock = (name: string) =>
  Effect.suspend(() => lockFile(`${realpathSync(name)}-lock`)).pipe(
    Effect.mapError((failure) =>
      failure._tag === "Busy" ? inUse(name) : new StoreError({
        operation: "open",
        message: `${name}-lock cannot be written: give this user write access to the folder (${
          messageOf(failure.error)
        })`
      })
    )
  )

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
    // it begins as a writer, because a transaction that reads first cannot wait for another writer later
    beginTransaction: "BEGIN IMMEDIATE",
    prepareTransactionControls: true
  })
})

/** The number of prepared statements that are kept. */
const cacheSize = 64

/** The code of the error for a file that others have deleted or replaced. It is none of SQLite's. */
const gone = 1_001

/** The code of the error for a file that others may use. It is none of SQLite's. */
const foreign = 1_002

/** The codes of SQLite for files that cannot grow, although their disk is not full: the log, or the index of that. */
const noRoom: ReadonlySet<unknown> = new Set([778, 4_874])

class NodeConnection implements SqlConnection.Connection {
  readonly database: DatabaseSync
  readonly #filename: string
  /** The file that is open. One of the same name that takes its place is another one. */
  readonly #inode: bigint | undefined
  readonly #prepared = new Map<string, StatementSync>()

  /**
   * SQLite does not wait for locks here, because that would block the whole process; the store waits in a fiber instead.
   * With a write-ahead log, readers and the writer do not wait for each other. With `FULL`, a commit is on disk when it
   * returns.
   */
  constructor(filename: string) {
    this.#filename = filename
    requirePrivate(filename)
    this.database = new DatabaseSync(filename, { timeout: 0 })
    try {
      this.database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
      this.#inode = inodeOf(filename)
    } catch (cause) {
      this.database.close()
      throw cause
    }
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
        // rows are arrays, because columns of one name differ only in their position
        statement.setReturnArrays(true)
        return statement
      }, params),
      (rows) => rows.map((row) => Object.values(row))
    )

  readonly executeValuesUnprepared = this.executeValues

  /** Reads all rows at once, because an open cursor would keep the database from committing. */
  readonly executeStream: SqlConnection.Connection["executeStream"] = (sql, params, transformRows) =>
    Stream.fromIterableEffect(this.execute(sql, params, transformRows))

  #all(statement: () => StatementSync, params: ReadonlyArray<unknown>) {
    // safe: SQLite refuses a value that cannot be bound, with an error of the statement
    return attempt("execute", () => {
      // SQLite goes on with a file that is deleted, and all of it would be lost with this process
      if (inodeOf(this.#filename) !== this.#inode) throw Object.assign(new Error("the file is gone"), { errcode: gone })
      return statement().all(...params as ReadonlyArray<SQLInputValue>)
    })
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

/** Keeps others from the file and those beside it: who may read one of them could lock it, and so stop every write. */
const requirePrivate = (filename: string): void => {
  // SQLite creates the others with the mode of this one
  createPrivate(filename)
  for (const file of ["", "-wal", "-shm", "-journal"].map((end) => `${filename}${end}`)) {
    const fault = existsSync(file) ? keepPrivate(file) : undefined
    if (fault !== undefined) throw Object.assign(new Error(fault), { errcode: foreign })
  }
}

const inodeOf = (filename: string): bigint | undefined =>
  statSync(filename, { bigint: true, throwIfNoEntry: false })?.ino

const attempt = <A>(operation: string, f: () => A): Effect.Effect<A, SqlError.SqlError> =>
  Effect.try({ try: f, catch: (cause) => sqlError(operation, cause) })

const sqlError = (operation: string, cause: unknown): SqlError.SqlError => {
  // Node names SQLite's code `errcode`, and `classifySqliteError` reads `errno`
  if (Predicate.hasProperty(cause, "errcode")) Object.assign(cause, { errno: cause.errcode })
  const message = messageOf(cause)
  return new SqlError.SqlError({ reason: SqlError.classifySqliteError(cause, { operation, message }) })
}

const advice = (name: string, error: SqlError.SqlError): string => {
  const code = causeCode(error, "errcode")
  if (code === gone) {
    return `${name} was deleted or replaced while the job manager works with it: stop the manager, restore a backup, and ` +
      "start it again"
  }
  if (code === foreign) return causeText(error)
  if (noRoom.has(code)) {
    return `${name} cannot be written: free some space on its disk, or raise the quota or the limit of file sizes that it ` +
      `has reached (${causeText(error)})`
  }
  switch (typeof code === "number" ? code & 0xff : undefined) {
    case 3:
    case 8:
      return `${name} cannot be written: give this user write access to the file and its folder (${causeText(error)})`
    case 5:
    case 6:
      return `${name} is locked by another process: end that process, then try again`
    case 10:
      return `the disk of ${name} cannot be read or written: check it (${causeText(error)})`
    case 11:
    case 26:
      return `${name} is damaged, or is no SQLite database: restore a backup, or use another file`
    case 13:
      return `the disk of ${name} is full: free some space, then try again`
    case 14:
      return `${name} cannot be opened: its folder has to exist, and this user needs access to it`
    default:
      return `${name}: ${causeText(error)}`
  }
}
