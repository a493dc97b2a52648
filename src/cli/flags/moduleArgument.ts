import * as Effect from "effect/Effect"
import { existsSync } from "node:fs"
import { resolve } from "node:path"
import { pathToFileURL } from "node:url"
import { importModule, jobOf } from "../../jobProcess/jobModule.ts"
import { CommandContext } from "../commandContext.ts"
import { Refusal } from "../refusal.ts"

/** Loads the job of a module: its default export, or the only job among its exports. */
export const loadJob = Effect.fnUntraced(
  function*(module: string, timeoutMs: number) {
    const url = yield* moduleUrl(module)
    const { owner } = yield* CommandContext
    const loaded = Effect.onInterrupt(importModule(url, module, timeoutMs), () =>
      Effect.sync(() => {
        const { crash } = owner
        if (crash !== undefined) {
          owner.unwritten(`autostop: the module ${module} ended the process with code ${crash} while it was loaded`)
        }
      }))
    return yield* jobOf(yield* loaded, module)
  },
  Effect.mapError((error) => error instanceof Refusal ? error : new Refusal({ message: error }))
)

/** Returns the URL of a module. Fails if there is no such file. */
export const moduleUrl = (module: string): Effect.Effect<string, Refusal> => {
  const path = resolve(module)
  return existsSync(path)
    ? Effect.succeed(pathToFileURL(path).href)
    : Effect.fail(new Refusal({ message: `the module ${module} does not exist (${path})` }))
}
