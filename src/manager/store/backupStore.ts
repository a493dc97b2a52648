import * as Effect from "effect/Effect"
import { renameSync, rmSync, statSync } from "node:fs"
import { resolve } from "node:path"
import { backup, DatabaseSync } from "node:sqlite"
import { messageOf } from "../../base/errorText.ts"

/** A store that cannot be backed up. */
export interface BackupRefused {
  readonly message: string
}

/**
 * Copies an SQLite store to a file that is not there yet, also while a manager works with it: the copy has all that was
 * answered before. It is checked before it gets its name.
 */
export const backupStore = (store: string, to: string): Effect.Effect<void, BackupRefused> => {
  const file = store.replace(/^sqlite:/i, "")
  const refused = (message: string) => Effect.fail({ message })
  if (/^postgres(ql)?:/i.test(store)) return refused("the store is in PostgreSQL: back it up with pg_dump")
  if (statSync(file, { throwIfNoEntry: false })?.isFile() !== true) {
    return refused(`there is no store ${resolve(file)}: give its folder with --data, or its file with --store`)
  }
  if (statSync(to, { throwIfNoEntry: false }) !== undefined) {
    return refused(`${to} exists: give the name of a file that does not`)
  }
  const partial = `${to}.tmp`
  return Effect.tryPromise({
    try: async () => {
      try {
        await copy(file, partial)
        renameSync(partial, to)
      } finally {
        rmSync(partial, { force: true })
      }
    },
    catch: (error) => ({ message: `${file} cannot be copied to ${to}: ${messageOf(error)}` })
  })
}

const copy = async (from: string, to: string): Promise<void> => {
  const source = new DatabaseSync(from, { readOnly: true, timeout: 5_000 })
  try {
    await backup(source, to)
  } finally {
    source.close()
  }
  const copied = new DatabaseSync(to)
  try {
    // the copy has all in one file
    copied.exec("PRAGMA journal_mode = DELETE")
    const result = copied.prepare("PRAGMA quick_check").get()?.["quick_check"]
    if (result !== "ok") throw new Error(`the copy is damaged (${String(result)})`)
  } finally {
    copied.close()
  }
}
