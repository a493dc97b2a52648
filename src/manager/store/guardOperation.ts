/** Guards the operations of a store: they wait for locks, have a time limit, and fail with advice for the operator. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import type { SchemaError } from "effect/Schema"
import type { MigrationError } from "effect/sql/Migrator"
import { isSqlError, type SqlError } from "effect/sql/SqlError"
import { messageOf } from "../../base/errorText.ts"
import { StoreError } from "../errors.ts"
import { causeCode, type Database } from "./database.ts"

export type Failure = SqlError | SchemaError | MigrationError | StoreError

export type Guard = (
  operation: string
) => <A, E extends Failure, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, StoreError, R>

/** The limit of an operation by default, from the request for a connection to the end of the commit. */
export const usualMs = 30_000

const retryMs = 20
/** The time that an operation waits for the lock of another one. */
const lockMs = 5_000

/** Guards the operations of a database. An operation is retried only if it failed without a change. */
export const guard = (database: Database, limitMs: number): Guard => (operation) => (self) =>
  self.pipe(
    Effect.catchCause((cause) => Effect.failCause(withoutDefects(operation, cause))),
    Effect.retry({ while: isContention, schedule: Schedule.spaced(retryMs), times: lockMs / retryMs }),
    Effect.mapError((error) => storeError(database, operation, error)),
    within(
      limitMs,
      () =>
        new StoreError({
          operation,
          message: `${database.name} has not answered for ${
            limitMs / 1000
          } s: check that it runs and is not overloaded, then try again`
        })
    )
  )

/**
 * Limits the time of an effect, also of one that cannot be interrupted, such as the begin and the end of a transaction:
 * a frozen server would otherwise hold its callers forever. The effect is interrupted, and ends when the server answers or
 * is lost.
 */
export const within =
  <E2>(limitMs: number, late: () => E2) => <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E | E2, R> =>
    Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(
        Effect.forkDetach(self, { startImmediately: true }),
        (fiber) =>
          restore(Effect.timeoutOrElse(Fiber.join(fiber), {
            duration: limitMs,
            orElse: () => Effect.fail(late())
          })).pipe(
            Effect.onExit(() => Effect.sync(() => fiber.interruptUnsafe()))
          )
      )
    )

/**
 * A rollback on a lost connection dies. Its defect is an error of the database, and the caller gets it as one. What dies
 * otherwise has not reached the database: a value is nested too deep for its Schema, or too large for a text.
 */
const withoutDefects = <E>(operation: string, cause: Cause.Cause<E>): Cause.Cause<E | SqlError | StoreError> =>
  Cause.fromReasons<E | SqlError | StoreError>(
    cause.reasons.map((reason) => {
      if (!Cause.isDieReason(reason)) return reason
      if (isSqlError(reason.defect)) return Cause.makeFailReason(reason.defect)
      const message = `a value can neither be stored nor read: ${messageOf(reason.defect)}`
      return Cause.makeFailReason(new StoreError({ operation, message, ofValue: true }))
    })
  )

const isContention = (error: Failure): boolean => {
  const sqlError = sqlErrorOf(error)
  switch (sqlError?.reason._tag) {
    case "LockTimeoutError":
    case "DeadlockError":
    case "SerializationError":
      return true
    default:
      return false
  }
}

const sqlErrorOf = (error: Failure): SqlError | undefined => {
  if (isSqlError(error)) return error
  return error._tag === "MigrationError" && isSqlError(error.cause) ? error.cause : undefined
}

const storeError = (database: Database, operation: string, error: Failure): StoreError => {
  if (error._tag === "StoreError") return error
  const sqlError = sqlErrorOf(error)
  if (sqlError !== undefined) {
    return new StoreError({
      operation,
      message: database.advice(sqlError),
      ...(isOfValue(sqlError) ? { ofValue: true } : {})
    })
  }
  return error._tag === "SchemaError"
    ? new StoreError({
      operation,
      message: `${database.name} holds a value that this version of autostop cannot read or write: ${error.message}`,
      ofValue: true
    })
    : new StoreError({ operation, message: `${database.name}: ${error.message}` })
}

/** The codes of SQLite for a value that is too big, breaks a constraint, or has another type. */
const ofValueCodes: ReadonlySet<number> = new Set([18, 19, 20, 25])

/** PostgreSQL has classes of them: data exceptions, constraints, and limits of the program. */
const isOfValue = (error: SqlError): boolean => {
  const code = causeCode(error, "errcode")
  // the lowest byte is the code; the others say more, such as which constraint
  return (typeof code === "number" && ofValueCodes.has(code & 0xff)) || /^(22|23|54)/.test(String(causeCode(error)))
}
