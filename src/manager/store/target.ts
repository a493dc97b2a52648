/** Which database a store is in, and what its errors mean to the one who runs the manager. */
import * as Predicate from "effect/Predicate"
import type { SqlError } from "effect/sql/SqlError"

export interface Target {
  /** What people know it by: a path or an address. Never with a password. */
  readonly name: string
  /** One sentence: what is wrong, and what to do about it. */
  readonly advice: (error: SqlError) => string
}

/** The driver's own words, which say more than the class of the error. */
export const causeText = (error: SqlError): string => {
  const cause = error.reason.cause
  return cause instanceof Error && cause.message !== "" ? cause.message : error.message
}

/** What the driver calls the error: an SQLSTATE, a code of Node or of SQLite. */
export const causeCode = (error: SqlError, property = "code"): unknown => {
  const cause = error.reason.cause
  return Predicate.hasProperty(cause, property) ? cause[property] : undefined
}
