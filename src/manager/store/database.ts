/** The name of a store's database, and what its errors mean to the operator of the manager. */
import * as Predicate from "effect/Predicate"
import type { SqlError } from "effect/sql/SqlError"
import { messageOf } from "../../base/errorText.ts"

export interface Database {
  /** The path or the address of the database, never with a password. */
  readonly name: string
  /** Returns one sentence that says what is wrong, and what to do about it. */
  readonly advice: (error: SqlError) => string
}

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
