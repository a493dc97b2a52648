import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Refusal } from "../refusal.ts"
import { readSecretText } from "./remoteFlags.ts"
import type { ServeInput } from "./serveFlags.ts"

/**
 * Reads the store from its flag, its file or the environment. A password is never an argument, because others on the machine
 * can see those.
 */
export const readStore = Effect.fnUntraced(function*({ store, storeFile }: Pick<ServeInput, "store" | "storeFile">) {
  if (Option.isSome(store) && Option.isSome(storeFile)) {
    return yield* new Refusal({ message: "--store and --store-file cannot be combined; expected one of them" })
  }
  if (Option.isSome(store)) {
    if (!hasPassword(store.value)) return store.value
    return yield* new Refusal({
      message:
        "--store has a password, which others on this machine can see; give the URL in AUTOSTOP_STORE or --store-file"
    })
  }
  const text = yield* readSecretText(storeFile, { flag: "--store-file", variable: "AUTOSTOP_STORE" })
  return text?.trim()
})

/** Returns true also for a URL that cannot be parsed and may have a password. */
const hasPassword = (store: string): boolean =>
  /^[a-z][a-z0-9+.-]*:\/\/[^/]*:.*@/i.test(store) || /[?&](ssl)?password=/i.test(store)
