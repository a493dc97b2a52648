import * as Effect from "effect/Effect"
import { hasProperty } from "effect/Predicate"
import type * as Scope from "effect/Scope"
import { DatabaseSync } from "node:sqlite"

/** The result of an attempt to lock: another process has the lock, or the file cannot be used. */
export type LockFailure = { readonly _tag: "Busy" } | { readonly _tag: "Unusable"; readonly error: unknown }

/**
 * Locks by a file in the Scope of its caller. The system unlocks it when the process ends, however that happens. Uses SQLite
 * because Node has no file locks; nothing is ever written to the file.
 */
export const lockFile = (file: string): Effect.Effect<void, LockFailure, Scope.Scope> =>
  Effect.asVoid(Effect.acquireRelease(
    Effect.try({
      try: () => lock(file),
      catch: (error): LockFailure =>
        hasProperty(error, "errcode") && error.errcode === busy ? { _tag: "Busy" } : { _tag: "Unusable", error }
    }),
    (database) => Effect.sync(() => database.close())
  ))

/** SQLite's code for a file that another process has locked. */
const busy = 5

const lock = (file: string): DatabaseSync => {
  const database = new DatabaseSync(file, { timeout: 0 })
  try {
    database.exec("BEGIN EXCLUSIVE")
    return database
  } catch (error) {
    database.close()
    throw error
  }
}
