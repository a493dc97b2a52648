/** Finds a job by its module, and decodes its payload. Each refusal is a message of one line. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { fileURLToPath } from "node:url"
import { errorText } from "../base/errorText.ts"
import { oneLine, seconds } from "../base/format.ts"
import { attempt } from "../base/valueText.ts"
import { fitPayload } from "../internal/run/payload.ts"
import * as Job from "../Job.ts"

/** The name of a module for people. */
export const pathOf = (url: string): string => url.startsWith("file:") ? fileURLToPath(url) : url

/** Loads a module of a user. Messages call it `name`. Fails with a message for people. */
export const importModule = (
  url: string,
  name: string,
  limitMs: number
): Effect.Effect<Record<string, unknown>, string> =>
  Effect.tryPromise({
    try: (): Promise<Record<string, unknown>> => import(url),
    catch: (error) => `the module ${name} could not be loaded: ${firstLine(error)}`
  }).pipe(
    Effect.timeoutOrElse({
      duration: limitMs,
      orElse: () => Effect.fail(`the module ${name} did not load within ${seconds(limitMs)}`)
    })
  )

/** The job of a module: its default export, or the only job among its exports. Fails with a message for people. */
export const jobOf = (exports: Readonly<Record<string, unknown>>, module: string): Effect.Effect<Job.Any, string> => {
  const found = Job.isContract(exports["default"]) ? [exports["default"]] : contractsOf(exports)
  const [job] = found
  if (job === undefined) {
    return Effect.fail(`the module ${module} exports no job; expected "export default Job.make(…)"`)
  }
  if (found.length > 1) {
    const names = found.map((job) => job.name).join(", ")
    return Effect.fail(`the module ${module} exports several jobs (${names}); expected one as default`)
  }
  return Job.isJob(job) ? Effect.succeed(job) : Effect.fail(onlyContract(job.name, module))
}

/** The job that a module exports by a name. Fails with a message for people. */
export const jobNamed = (
  exports: Readonly<Record<string, unknown>>,
  module: string,
  name: string
): Effect.Effect<Job.Any, string> => {
  const contracts = contractsOf(exports)
  const found = contracts.filter((job) => job.name === name)
  const job = found.find(Job.isJob)
  if (job !== undefined) return Effect.succeed(job)
  if (found.length > 0) return Effect.fail(onlyContract(name, module))
  const names = [...new Set(contracts.filter(Job.isJob).map((job) => job.name))].join(", ")
  const known = names === "" ? "it exports none" : `its jobs: ${names}`
  return Effect.fail(`the module ${module} exports no job "${name}"; ${known}`)
}

/** The contracts that a module exports. What a CommonJS module exports may be there as its default alone. */
const contractsOf = (exports: Readonly<Record<string, unknown>>): ReadonlyArray<Job.AnyContract> => {
  const named = Object.values(exports).filter(Job.isContract)
  const all: unknown = exports["default"]
  if (named.length > 0 || typeof all !== "object" || all === null) return named
  return attempt(() => Object.values(all).filter(Job.isContract)) ?? []
}

const onlyContract = (name: string, module: string): string =>
  `"${name}" of ${module} is only a contract; expected a job with its "run"`

/** Decodes the payload of a job from JSON; `undefined` is none. Fails with a message for people, in one line. */
export const decodePayload = (job: Job.AnyContract, json: unknown): Effect.Effect<unknown, string> => {
  const decode = (payload: unknown) => {
    const schema = payload === undefined ? Schema.toType(job.payload) : Schema.toCodecJson(job.payload)
    // safe: decoding from JSON needs no services
    return Schema.decodeUnknownEffect(schema)(payload) as Effect.Effect<unknown, Schema.SchemaError>
  }
  return Effect.mapError(fitPayload(job, json, decode), oneLine)
}

const firstLine = (error: unknown): string => {
  const text = errorText(Cause.die(error))
  return text.split("\n").map((line) => line.trim()).filter((line) => line !== "").slice(0, 3).join(" ")
}
