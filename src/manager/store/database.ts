/** The name of a store's database, and what its errors mean to the operator of the manager. */
import * as Predicate from "effect/Predicate"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { messageOf } from "../../base/errorText.ts"
import { StoreError } from "../errors.ts"
import type { JobStore } from "../JobStore.ts"

/**
 * A database of jobs. One manager alone may use it: two would run the same jobs, and treat each other's as lost.
 */
export interface Database {
  readonly kind: JobStore["Service"]["database"]
  /** The path or the address of the database, never with a password. */
  readonly name: string
  /** Returns one sentence that says what is wrong, and what to do about it. */
  readonly advice: (error: SqlError) => string
  /** Keeps other managers from using the database until the Scope closes, or this process has ended. */
  readonly lock: Effect.Effect<void, StoreError | SqlError, Scope.Scope | SqlClient>
}

/** The error for a database that another manager uses. */
export const inUse = (name: string): StoreError =>
  new StoreError({
    operation: "open",
    message: `another job manager works with ${name}: stop it first, or give this one another store`
  })

/** Returns the driver's own message, which says more than the class of the error. */
export const causeText = (error: SqlError): string => {
  const cause = error.reason.cause
  return cause instanceof Error && cause.message !== "" ? messageOf(cause) : error.message
}

/** Returns the driver's code for the error: an SQLSTATE, or a code of Node or SQLite. */
export const causeCode = (error: SqlError, property = "code"): unknown => {
  const cause = error.reason.cause
  return Predicate.hasProperty(cause, property) ? cause[property] : undefined
}
