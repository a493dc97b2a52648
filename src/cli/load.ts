import * as Effect from "effect/Effect"
import { existsSync } from "node:fs"
import { resolve } from "node:path"
import { pathToFileURL } from "node:url"
import * as Job from "../Job.ts"
import { Refusal } from "./refusal.ts"

/** Loads the job of a module: its default export, or the only job among its exports. */
export const loadJob = Effect.fnUntraced(function*(module: string, timeoutMs: number) {
  const path = resolve(module)
  if (!existsSync(path)) return yield* new Refusal({ message: `the module ${module} does not exist (${path})` })
  const exports = yield* Effect.tryPromise({
    try: (): Promise<Record<string, unknown>> => import(pathToFileURL(path).href),
    catch: (error) => new Refusal({ message: `the module ${module} could not be loaded: ${firstLine(error)}` })
  }).pipe(
    Effect.timeoutOrElse({
      duration: timeoutMs,
      orElse: () =>
        Effect.fail(new Refusal({ message: `the module ${module} did not load within ${timeoutMs / 1_000} s` }))
    })
  )
  const found = Job.isContract(exports["default"])
    ? [exports["default"]]
    : Object.values(exports).filter(Job.isContract)
  const [job] = found
  if (job === undefined) {
    return yield* new Refusal({ message: `the module ${module} exports no job; expected "export default Job.make(…)"` })
  }
  if (found.length > 1) {
    const names = found.map((job) => job.name).join(", ")
    return yield* new Refusal({
      message: `the module ${module} exports several jobs (${names}); expected one as default`
    })
  }
  if (!Job.isJob(job)) {
    return yield* new Refusal({
      message: `"${job.name}" of ${module} is only a contract; expected a job with its "run"`
    })
  }
  return job
})

const firstLine = (error: unknown): string => {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  return text.split("\n").map((line) => line.trim()).filter((line) => line !== "").slice(0, 3).join(" ")
}
