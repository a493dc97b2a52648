/** Lets one manager alone use a folder: two would run the same jobs, and treat each other's as lost. */
import * as Effect from "effect/Effect"
import { hasProperty } from "effect/Predicate"
import type * as Scope from "effect/Scope"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { messageOf } from "../../base/errorText.ts"

/** Locks a folder in the Scope of its caller. The system unlocks it when the process ends, however that happens. */
export const lockFolder = (folder: string): Effect.Effect<void, { readonly message: string }, Scope.Scope> =>
  Effect.asVoid(Effect.acquireRelease(
    Effect.try({
      try: () => lock(join(folder, "lock.db")),
      catch: (error) => ({
        message: hasProperty(error, "errcode") && error.errcode === busy
          ? `another job manager works in the folder ${folder}: stop it first, or give this one another folder`
          : cannotWrite(folder, error)
      })
    }),
    (database) => Effect.sync(() => database.close())
  ))

export const cannotWrite = (folder: string, error: unknown): string => {
  const why = messageOf(error)
  return `the folder ${folder} cannot be written: give this user write access to it, or use another folder (${why})`
}

/** SQLite's code for a file that another process has locked. */
const busy = 5

/** Uses SQLite because Node has no file locks. Nothing is ever written to the file. */
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
