import * as Duration from "effect/Duration"
import type { DurationSetting } from "../../StopPolicy.ts"
import { parseDuration } from "../../base/durationInput.ts"
import type { ServiceSpec } from "./serviceState.ts"
import { PolicyError } from "../policy/policyError.ts"

/** What may be said of any service. */
export interface ServiceOptions {
  /** The name in the report; by default the key of the tag. */
  readonly name?: string | undefined
  /** `timeout`: the limit of the release; by default the policy's `releaseTimeout` (5 s). */
  readonly stop?: { readonly timeout?: DurationSetting | undefined } | undefined
  /** `timeout`: the limit of the acquire; by default the policy's `startTimeout` (30 s). */
  readonly start?: { readonly timeout?: DurationSetting | undefined } | undefined
}

export const specOf = (name: string, options: ServiceOptions | undefined, host: string): ServiceSpec => {
  if (name.trim() === "") throw PolicyError.of("the name of a service", name, "a text that is not empty")
  return {
    name,
    host,
    releaseTimeout: durationLimit(`the stop timeout of service "${name}"`, options?.stop?.timeout),
    startTimeout: durationLimit(`the start timeout of service "${name}"`, options?.start?.timeout)
  }
}

export const durationLimit = (setting: string, input: DurationSetting | undefined): number | undefined => {
  if (input === undefined) return undefined
  const parsed = parseDuration(input)
  if (parsed === undefined) {
    throw PolicyError.of(setting, input, "a duration that is not negative, such as \"500ms\", \"5s\" or \"2 minutes\"")
  }
  return Duration.toMillis(parsed)
}
