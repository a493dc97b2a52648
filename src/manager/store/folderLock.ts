/** Lets one manager alone use a folder: two would run the same jobs, and treat each other's as lost. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { join } from "node:path"
import { messageOf } from "../../base/errorText.ts"
import { lockFile } from "./fileLock.ts"

/** Locks a folder in the Scope of its caller. */
export const lockFolder = (folder: string): Effect.Effect<void, { readonly message: string }, Scope.Scope> =>
  Effect.mapError(lockFile(join(folder, "lock.db")), (failure) => ({
    message: failure._tag === "Busy"
      ? `another job manager works in the folder ${folder}: stop it first, or give this one another folder`
      : cannotWrite(folder, failure.error)
  }))

export const cannotWrite = (folder: string, error: unknown): string => {
  const why = messageOf(error)
  return `the folder ${folder} cannot be written: give this user write access to it, or use another folder (${why})`
}
