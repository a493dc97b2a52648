import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { readFileSync } from "node:fs"
import { parseEnv } from "node:util"
import { messageOf } from "../../base/errorText.ts"
import { Refusal } from "../refusal.ts"

/** Reads the variables of a file, in the form that Node has for its own. */
export const readEnvFile = (file: Option.Option<string>): Effect.Effect<Record<string, string>, Refusal> =>
  Option.isNone(file) ? Effect.succeed({}) : Effect.try({
    try: (): Record<string, string> => ({ ...parseEnv(readFileSync(file.value, "utf8")) as Record<string, string> }),
    catch: (error) => new Refusal({ message: `--env-from ${file.value} cannot be read: ${messageOf(error)}` })
  })
