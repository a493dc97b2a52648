import * as Effect from "effect/Effect"
import { Worker } from "node:worker_threads"
import { entryPoint } from "../../process/entryPoints.ts"

/** The limit for the check of a bundle, and the memory that it may take. */
const limitMs = 10_000
const memoryMb = 512

const checkMain = entryPoint(import.meta.url, "./checkMain")

/** The bundle that a thread checks, and the hash that it must have. */
export interface CheckInput {
  readonly hash: string
  readonly content: Uint8Array
}

/**
 * Returns why a bundle cannot run here, if it cannot. A thread reads it: JSON of a stranger takes any time and memory, and the
 * manager goes on meanwhile.
 */
export const checkInThread = (hash: string, content: Uint8Array): Effect.Effect<string | undefined> =>
  Effect.callback<string | undefined>((resume) => {
    const input: CheckInput = { hash, content }
    const thread = new Worker(checkMain, {
      workerData: input,
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: memoryMb }
    })
    thread.once("message", (fault: string | undefined) => resume(Effect.succeed(fault)))
    thread.once("error", () => resume(Effect.succeed("the content is no bundle: it takes too much memory to be read")))
    return Effect.promise(() => thread.terminate())
  }).pipe(Effect.timeoutOrElse({
    duration: limitMs,
    orElse: () => Effect.succeed(`the content is no bundle: it cannot be read within ${limitMs / 1_000} s`)
  }))
