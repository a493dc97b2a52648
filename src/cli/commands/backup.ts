import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import { join } from "node:path"
import { readStore } from "../flags/readStore.ts"
import { serveFlags } from "../flags/serveFlags.ts"
import { asRefusal } from "../refusal.ts"

const flags = {
  file: Argument.Path("file").pipe(Argument.withDescription("The file to write, which must not exist")),
  data: serveFlags.data,
  store: serveFlags.store,
  storeFile: serveFlags.storeFile
}

/** The command `autostop backup FILE`. */
export const backupCommand = Command.make("backup", flags, ({ data, file, ...given }) =>
  Effect.gen(function*() {
    const store = yield* readStore(given)
    // SQLite takes a while to load: other commands do not wait for it
    const { backupStore } = yield* Effect.promise(() => import("../../manager/store/backupStore.ts"))
    return yield* backupStore(store ?? join(data, "jobs.db"), file)
  }).pipe(Effect.mapError(asRefusal))).pipe(
    Command.withDescription("Copies the store of a job manager, which may run, to a file")
  )
