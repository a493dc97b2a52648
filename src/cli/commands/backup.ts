import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { join } from "node:path"
import { serveFlags } from "../flags/serveFlags.ts"
import { Refusal } from "../refusal.ts"

const flags = {
  file: Argument.Path("file").pipe(Argument.withDescription("The file to write, which must not exist")),
  data: serveFlags.data,
  store: serveFlags.store
}

/** The command `autostop backup FILE`. */
export const backupCommand = Command.make("backup", flags, ({ data, file, store }) =>
  // SQLite takes a while to load: other commands do not wait for it
  Effect.promise(() => import("../../manager/store/backupStore.ts")).pipe(
    Effect.flatMap(({ backupStore }) => backupStore(Option.getOrElse(store, () => join(data, "jobs.db")), file)),
    Effect.mapError(({ message }) => new Refusal({ message }))
  )).pipe(Command.withDescription("Copies the store of a job manager, which may run, to a file"))
