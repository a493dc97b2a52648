import * as Effect from "effect/Effect"
import { existsSync } from "node:fs"
import { resolve } from "node:path"
import { pathToFileURL } from "node:url"
import { importModule, jobOf } from "../../jobProcess/jobModule.ts"
import { Refusal } from "../refusal.ts"

/** Loads the job of a module: its default export, or the only job among its exports. */
export const loadJob = Effect.fnUntraced(
  function*(module: string, timeoutMs: number) {
    const path = resolve(module)
    if (!existsSync(path)) return yield* Effect.fail(`the module ${module} does not exist (${path})`)
    return yield* jobOf(yield* importModule(pathToFileURL(path).href, module, timeoutMs), module)
  },
  Effect.mapError((message) => new Refusal({ message }))
)
