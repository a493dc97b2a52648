/** Decides who may use a manager: who has a token that it was given, its own user alone, or every process of the machine. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Redacted from "effect/Redacted"
import { PolicyError } from "../internal/policy/policyError.ts"
import type { Token } from "./Authorization.ts"
import type { Options } from "./jobManagerOptions.ts"
import { forgetLocalToken, LocalToken } from "./localToken.ts"
import { isLoopback } from "./loopback.ts"
import { cannotWrite } from "./store/folderLock.ts"
import { tokenText } from "./token.ts"

export interface ManagerTokens {
  readonly tokens: ReadonlyArray<Token>
  /** A token with the role `operate`, for the program of the manager. */
  readonly own: Redacted.Redacted | undefined
  /** Called when the manager listens. Returns what its user should know, if there is something. */
  readonly publish: (url: string) => string | undefined
  /** Called before the manager stops to listen. */
  readonly unpublish: () => void
  /** Proves to a client that has found the token that this is the manager which has made it. */
  readonly prove: (nonce: string) => string | undefined
}

/** Refuses options that contradict each other. */
export const checkAccess = (
  { host, open = false, tokens = [] }: Options,
  nameOf: (setting: string) => string = (setting) => setting
): Effect.Effect<void, PolicyError> => {
  if (!open) return Effect.void
  if (tokens.length > 0) return Effect.fail(PolicyError.of(nameOf("open"), open, "false, because tokens are given"))
  return host === undefined || isLoopback(host)
    ? Effect.void
    : Effect.fail(PolicyError.of(nameOf("open"), open, `false, because other machines can reach "${host}"`))
}

/** Makes a token in the folder of the manager, if none is given and it is not open. It is removed with the Scope. */
export const managerTokens = (
  { host = "127.0.0.1", open = false, tokens = [] }: Options,
  folder: string
): Effect.Effect<ManagerTokens, { readonly message: string }, Scope.Scope> => {
  // an address that other machines can reach is refused without a token that was given
  if (open || tokens.length > 0 || !isLoopback(host)) {
    const operate = tokens.find(({ role }) => role === "operate")
    return Effect.succeed({
      tokens,
      own: operate && Redacted.make(tokenText(operate.token)),
      publish: (url) => void forgetLocalToken(folder, url),
      unpublish: () => {},
      prove: () => undefined
    })
  }
  return Effect.map(
    Effect.acquireRelease(
      Effect.try({ try: () => new LocalToken(folder), catch: (error) => ({ message: cannotWrite(folder, error) }) }),
      (token) => Effect.sync(() => token.remove())
    ),
    (local) => {
      const own = Redacted.make(local.text)
      return {
        tokens: [{ token: own, role: "operate" }],
        own,
        publish: (url) => local.publish(url),
        unpublish: () => local.unpublish(),
        prove: (nonce) => local.prove(nonce)
      }
    }
  )
}
