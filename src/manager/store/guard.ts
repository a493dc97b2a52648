/** How the store meets a database that fails: it waits for locks, not for ever, and says what is wrong. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { SchemaError } from "effect/Schema"
import * as Schedule from "effect/Schedule"
import type { MigrationError } from "effect/sql/Migrator"
import { isSqlError, type SqlError } from "effect/sql/SqlError"
import { StoreError } from "../JobStore.ts"
import type { Target } from "./target.ts"

export type Failure = SqlError | SchemaError | MigrationError | StoreError

export type Guard = (
  operation: string
) => <A, E extends Failure, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, StoreError, R>

/** How long an operation may take by default, from asking for a connection to the end of the commit. */
export const usualMs = 30_000

const retryMs = 20
/** How long another one may hold a lock. */
const lockMs = 5_000

/** Only what changes nothing when it fails is tried again. */
export const guard = (target: Target, limitMs: number): Guard => (operation) => (self) =>
  self.pipe(
    Effect.catchCause((cause) => Effect.failCause(known(cause))),
    Effect.retry({ while: isContention, schedule: Schedule.spaced(retryMs), times: lockMs / retryMs }),
    Effect.mapError((error) => storeError(target, operation, error)),
    within(
      limitMs,
      () =>
        new StoreError({
          operation,
          message: `${target.name} has not answered for ${limitMs / 1000} s: see what keeps it, then try again`
        })
    )
  )

/**
 * Also what cannot be interrupted is given up, as the begin and the end of a transaction cannot be: a server that has
 * frozen would hold its callers for ever. It is interrupted still, and ends when the server answers, or is lost.
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

/** A rollback on a connection that is lost dies: as an error of the database it is one to the caller too. */
const known = <E>(cause: Cause.Cause<E>): Cause.Cause<E | SqlError> =>
  Cause.fromReasons<E | SqlError>(
    cause.reasons.map((reason) =>
      Cause.isDieReason(reason) && isSqlError(reason.defect) ? Cause.makeFailReason(reason.defect) : reason
    )
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

const storeError = (target: Target, operation: string, error: Failure): StoreError => {
  if (error._tag === "StoreError") return error
  const sqlError = sqlErrorOf(error)
  if (sqlError !== undefined) return new StoreError({ operation, message: target.advice(sqlError) })
  return new StoreError({
    operation,
    message: error._tag === "SchemaError"
      ? `${target.name} keeps something that this version of autostop cannot read, or is asked to: ${error.message}`
      : `${target.name}: ${error.message}`
  })
}
