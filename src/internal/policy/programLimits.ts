import type * as Config from "effect/Config"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Mutable } from "effect/Types"
import { fromConfig, fromOptions, type Settings, StopPolicy } from "../../StopPolicy.ts"
import type { PolicyError } from "./policyError.ts"
import { fieldNames, policyFields, type PolicyValues } from "./policyFields.ts"
import { type PolicyMillis, policyMillis } from "./policyMillis.ts"
import { fitPolicy, mergePolicy } from "./resolvePolicy.ts"

/** Returns the limits of a program with settings of its own, over the configuration. */
export const programLimits = (settings?: Settings): Effect.Effect<PolicyMillis, PolicyError | Config.ConfigError> =>
  Effect.gen(function*() {
    const merged = yield* mergePolicy([yield* fromConfig, fromOptions(settings)], yield* StopPolicy.Defaults)
    return policyMillis(yield* fitPolicy(merged))
  })

/**
 * Returns the limits of a program whose jobs may set a longer deadline, into which the configured limits fit: its own are
 * cut to the deadline that is configured.
 */
export const enclosingLimits: Effect.Effect<PolicyMillis, PolicyError | Config.ConfigError> = Effect.gen(function*() {
  const { values } = yield* mergePolicy([yield* fromConfig], yield* StopPolicy.Defaults)
  const cut: Mutable<PolicyValues> = { ...values }
  for (const name of fieldNames) {
    const value = values[name]
    if (!policyFields[name].withinDeadline || !Duration.isDuration(value)) continue
    Object.assign(cut, { [name]: Duration.min(value, values.deadline) })
  }
  return policyMillis(cut)
})
