import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import { serveFlags, type ServeInput } from "../flags/serveFlags.ts"
import { asRefusal } from "../refusal.ts"

/** The command `autostop serve`, which runs a job manager until a signal. */
export const serveCommand = Command.make("serve", serveFlags, (input: ServeInput) =>
  // a server and its database take a while to load: other commands do not wait for them
  Effect.promise(() => import("./runManager.ts")).pipe(
    Effect.flatMap(({ runManager }) => runManager(input)),
    Effect.mapError(asRefusal)
  )).pipe(Command.withDescription("Runs a job manager, until a signal stops it and its jobs"))
