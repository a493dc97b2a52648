import type * as Config from "effect/Config"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { fromConfig, StopPolicy } from "../../StopPolicy.ts"
import type { PolicyError } from "./policyError.ts"
import { mergePolicy } from "./resolvePolicy.ts"

/**
 * The deadline that the configuration sets for a process, in milliseconds; `Infinity` is no limit. The other limits need
 * not fit into it, because a job may set a deadline that they fit into.
 */
export const configuredDeadline: Effect.Effect<number, PolicyError | Config.ConfigError> = Effect.gen(function*() {
  const { values } = yield* mergePolicy([yield* fromConfig], yield* StopPolicy.Defaults)
  return Duration.toMillis(values.deadline)
})
