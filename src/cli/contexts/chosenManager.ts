/** Decides which job manager a command asks, and with which token. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { defaultUrl, readToken, readUrl, type RemoteInput } from "../flags/remoteFlags.ts"
import { Refusal } from "../refusal.ts"
import { contextNamed, readContexts } from "./contextFile.ts"

export interface ChosenManager {
  readonly url: string
  /** A token that was given; without one, that of this user's own manager is looked for. */
  readonly token: string | undefined
  /** The address for people, with the name of the context that it comes from. */
  readonly label: string
}

/**
 * The first of these that is given decides: `--url` or `--context`, `AUTOSTOP_URL`, `AUTOSTOP_CONTEXT`, the current context, and
 * else it is the manager of this machine. The token of a context goes to its manager, whatever `AUTOSTOP_TOKEN` is.
 */
export const chosenManager = Effect.fnUntraced(function*(
  { context, tokenFile, url }: Pick<RemoteInput, "context" | "tokenFile" | "url">
): Effect.fn.Return<ChosenManager, Refusal> {
  if (Option.isSome(url) && Option.isSome(context)) {
    return yield* new Refusal({ message: "--url and --context cannot be combined; expected one of them" })
  }
  const givenUrl = Option.getOrElse(url, () => Option.isSome(context) ? "" : process.env["AUTOSTOP_URL"] ?? "")
  if (Option.isSome(url) || givenUrl !== "") {
    const read = yield* readUrl(givenUrl, Option.isSome(url) ? "--url" : "AUTOSTOP_URL")
    return { url: read, token: yield* readToken(tokenFile), label: read }
  }
  const contexts = yield* readContexts
  const name = Option.getOrElse(context, () => process.env["AUTOSTOP_CONTEXT"] || contexts.current)
  const found = name === undefined ? undefined : yield* contextNamed(contexts, name)
  if (found === undefined) return { url: defaultUrl, token: yield* readToken(tokenFile), label: defaultUrl }
  return {
    url: found.url,
    token: Option.isSome(tokenFile) || found.tokenFile === undefined
      ? yield* readToken(tokenFile)
      : yield* readToken(Option.some(found.tokenFile), { flag: `the token file of context "${name}",`, variable: "" }),
    label: `${found.url} (context ${name})`
  }
})
