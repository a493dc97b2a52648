/** One manager alone works in a folder: two would run the same jobs, and take each other's for lost. */
import * as Effect from "effect/Effect"
import { hasProperty } from "effect/Predicate"
import type * as Scope from "effect/Scope"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"

/** Holds a folder in the Scope of its caller. The system lets go of it with the process, however that ends. */
export const hold = (folder: string): Effect.Effect<void, string, Scope.Scope> =>
  Effect.asVoid(Effect.acquireRelease(
    Effect.try({
      try: () => lock(join(folder, "lock.db")),
      catch: (error) =>
        hasProperty(error, "errcode") && error.errcode === busy
          ? `another job manager works in the folder ${folder}: stop it first, or give this one another folder`
          : `the folder ${folder} cannot be written: ${String(error)}`
    }),
    (database) => Effect.sync(() => database.close())
  ))

/** What SQLite says of a file that another one has locked. */
const busy = 5

/** Node has no locks of files; its SQLite has. Nothing is ever written there. */
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
