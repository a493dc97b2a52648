/**
 * Lets one manager alone use a database: an advisory lock of PostgreSQL, which a connection of its own holds as long as the
 * manager runs.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import { SqlClient } from "effect/sql/SqlClient"
import type { Connection } from "effect/sql/SqlConnection"
import type { SqlError } from "effect/sql/SqlError"
import type { StoreError } from "../errors.ts"
import { inUse } from "./database.ts"

/** The server needs a moment until it notices that the process which held the lock has ended. */
const patience = Schedule.spaced("100 millis").pipe(Schedule.upTo({ duration: "5 seconds" }))

/** The interval of the checks that the connection, and the lock with it, is still there. */
const checkEvery = "5 seconds"

/** Schemas are stores of their own. The server drops the connection of a machine that is gone within half a minute. */
const take = `
  SELECT set_config('tcp_keepalives_idle', '10', false), set_config('tcp_keepalives_interval', '5', false),
    set_config('tcp_keepalives_count', '3', false),
    pg_try_advisory_lock(hashtext('autostop'), hashtext(coalesce(current_schema(), ''))) AS taken`

export const lockDatabase = (name: string): Effect.Effect<void, StoreError | SqlError, Scope.Scope | SqlClient> =>
  Effect.gen(function*() {
    const sql = yield* SqlClient
    const scope = yield* Effect.scope
    const first = yield* acquire(sql, scope, name).pipe(
      Effect.retry({ schedule: patience, while: (error) => error._tag === "StoreError" })
    )
    yield* Effect.forkIn(keep(sql, scope, name, first), scope)
  })

/** A connection that holds the lock, in a scope of its own. */
interface Held {
  readonly connection: Connection
  readonly scope: Scope.Closeable
}

/** Returns a connection with the lock. Fails with a `StoreError` if another manager has it. */
const acquire = (sql: SqlClient, parent: Scope.Scope, name: string): Effect.Effect<Held, StoreError | SqlError> =>
  Effect.suspend(() => {
    const scope = Scope.forkUnsafe(parent)
    const close = Scope.close(scope, Exit.void)
    return Scope.provide(sql.reserve, scope).pipe(
      Effect.flatMap((connection) =>
        Effect.flatMap(
          connection.execute(take, [], undefined),
          ([row]) => row?.["taken"] === true ? Effect.succeed({ connection, scope }) : Effect.fail(inUse(name))
        )
      ),
      Effect.onError(() => close)
    )
  })

/** Takes the lock again each time that its connection is lost. */
const keep = (sql: SqlClient, scope: Scope.Scope, name: string, held: Held): Effect.Effect<never> =>
  Effect.gen(function*() {
    yield* Effect.ignore(Effect.forever(
      Effect.andThen(Effect.sleep(checkEvery), held.connection.execute("SELECT 1", [], undefined))
    ))
    yield* Scope.close(held.scope, Exit.void)
    const again = yield* acquire(sql, scope, name).pipe(
      Effect.tapError((error) =>
        error._tag === "StoreError"
          ? Effect.logError(`the connection was lost, and ${error.message}: both run jobs of this store`)
          : Effect.void
      ),
      Effect.retry(Schedule.spaced(checkEvery)),
      Effect.orDie
    )
    return yield* keep(sql, scope, name, again)
  })
