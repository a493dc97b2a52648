/** Reads the options of a job manager as their user wrote them. */
import * as Effect from "effect/Effect"
import { resolve } from "node:path"
import { PolicyError } from "../internal/policy/policyError.ts"
import type { Options } from "./jobManagerOptions.ts"
import type { Permissions } from "./JobProcess.ts"
import type { ManagerOptions } from "./Manager.ts"
import { readBytes, readInt, readLimitMs, readVariableNames } from "./readSettings.ts"

/** The size of all bundles together, by default. */
const defaultBundleBytes = 1024 * 1024 * 1024

/**
 * Returns the options that a manager runs with. Fails with the first one that cannot be used; `nameOf` returns what its
 * user calls it.
 */
export const readOptions = Effect.fnUntraced(function*(
  {
    concurrency = 4,
    env = {},
    folder,
    keep = {},
    limits = {},
    logs = "16 MiB",
    requests = {},
    spares = 2,
    uploads = true
  }: Options,
  nameOf: (setting: string) => string = (setting) => setting
): Effect.fn.Return<Omit<ManagerOptions, "jobs">, PolicyError> {
  const { events, memory, time } = limits
  const { age = "30 days", jobs } = keep
  const { bundles, queued = 10_000 } = requests
  const timeMs = time === undefined ? Infinity : yield* readLimitMs(nameOf("limits.time"), time)
  if (typeof folder !== "string" || folder.trim() === "") {
    return yield* PolicyError.of(nameOf("folder"), folder, "the path of a folder")
  }
  return {
    folder: resolve(folder),
    concurrency: yield* readInt(nameOf("concurrency"), concurrency),
    spares: yield* readInt(nameOf("spares"), spares, 0),
    limits: {
      ...(memory === undefined ? {} : { memory: yield* readBytes(nameOf("limits.memory"), memory) }),
      ...(events === undefined ? {} : { events: yield* readBytes(nameOf("limits.events"), events) }),
      ...(timeMs === Infinity ? {} : { timeMs })
    },
    keep: {
      ageMs: yield* readLimitMs(nameOf("keep.age"), age),
      jobs: jobs === undefined || jobs === Infinity ? Infinity : yield* readInt(nameOf("keep.jobs"), jobs)
    },
    variables: {
      each: yield* readVariableNames(nameOf("env.each"), env.each ?? []),
      byName: yield* readVariables(nameOf("env.byName"), env.byName ?? {})
    },
    logBytes: yield* readBytes(nameOf("logs"), logs),
    quotas: {
      queued: yield* readInt(nameOf("requests.queued"), queued),
      bundleBytes: bundles === undefined ? defaultBundleBytes : yield* readBytes(nameOf("requests.bundles"), bundles)
    },
    uploads: uploads === false ? undefined : permissions(uploads === true ? {} : uploads)
  }
})

const readVariables = (name: string, variables: Readonly<Record<string, string>>) =>
  Effect.gen(function*() {
    yield* readVariableNames(name, Object.keys(variables))
    for (const [key, value] of Object.entries(variables)) {
      // the value is not shown, because it may be a secret
      if (typeof value !== "string" || value.includes("\0")) {
        return yield* PolicyError.of(`${name}.${key}`, typeof value, "a text without a null character")
      }
    }
    return variables
  })

type Uploads = Exclude<Options["uploads"], boolean | undefined>

const permissions = ({ processes = false, read = [], write = [] }: Uploads): Permissions => ({
  processes,
  read: read.map((path) => resolve(path)),
  write: write.map((path) => resolve(path))
})
