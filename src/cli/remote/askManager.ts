import * as Effect from "effect/Effect"
import { hasProperty } from "effect/Predicate"
import type * as Scope from "effect/Scope"
import type { Client } from "../../manager/client/apiClient.ts"
import { CommandContext } from "../commandContext.ts"
import { chosenManager } from "../contexts/chosenManager.ts"
import type { RemoteInput } from "../flags/remoteFlags.ts"
import { Refusal } from "../refusal.ts"
import { whenInterrupted } from "./interrupted.ts"

/** Asks the manager. Each failure becomes a message of one line; an interrupted command ends in silence. */
export const askManager = <E, R>(
  input: RemoteInput,
  use: (client: Client, url: string) => Effect.Effect<void, E, R>
): Effect.Effect<void, Refusal, Exclude<R, Scope.Scope> | CommandContext> =>
  Effect.scoped(Effect.gen(function*() {
    const interrupted = whenInterrupted(yield* CommandContext)
    const { label, token, url } = yield* chosenManager(input)
    // commands that only run jobs here do not wait for this module
    const api = yield* Effect.promise(() => import("../../manager/client/apiClient.ts"))
    const client = yield* api.makeClient({ url, token })
    const asked = Effect.mapError(
      use(client, url),
      (error) => error instanceof Refusal ? error : new Refusal({ message: explain({ label, token }, error, api) })
    )
    yield* Effect.raceFirst(asked, interrupted.await)
  }))

/** Says in one line what went wrong and what to do about it. */
const explain = (
  { label: url, token }: { readonly label: string; readonly token: string | undefined },
  error: unknown,
  { failureText, obstacle }: typeof import("../../manager/client/apiClient.ts")
): string => {
  const message = failureText(error)
  switch (obstacle(error)) {
    case "unreachable":
      return `no job manager answers at ${url}; start one with "autostop serve", or give its address with --url`
    case "lost":
      return `the connection to the job manager at ${url} was lost (${message})`
    case "between":
      return `a server between here and the job manager at ${url} answered in its place (${message})`
    case "stranger":
      return notAManager(url, message)
    case undefined:
      if (!hasProperty(error, "_tag") || error._tag !== "Unauthorized") return message
      return token === undefined
        ? "the job manager requires a token; set AUTOSTOP_TOKEN, or give --token-file"
        : "the job manager does not know this token; set AUTOSTOP_TOKEN, or give --token-file"
  }
}

export const notAManager = (url: string, why: string): string =>
  `the server at ${url} is no job manager, or one of another version; give its address with --url (${why})`
