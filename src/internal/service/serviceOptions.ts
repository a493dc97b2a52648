import * as Duration from "effect/Duration"
import { parseDuration } from "../../base/durationInput.ts"
import { illegalOption } from "../../base/illegalOption.ts"
import type { DurationSetting } from "../policy/policyFields.ts"
import type { ServiceSpec } from "./serviceRecord.ts"

/**
 * The options of any service.
 *
 * @category models
 * @since 0.1.0
 */
export interface ServiceOptions {
  /** The name in the report; by default the key of the tag. */
  readonly name?: string | undefined
  /** `timeout`: the limit of the release; by default the policy's `releaseTimeout` (5 s). */
  readonly stop?: { readonly timeout?: DurationSetting | undefined } | undefined
  /** `timeout`: the limit of the acquire; by default the policy's `startTimeout` (30 s). */
  readonly start?: { readonly timeout?: DurationSetting | undefined } | undefined
}

/** Checks the options of a service. Throws for an option that is wrong, where the service is defined. */
export const serviceSpec = (name: string, options: ServiceOptions | undefined, host: string): ServiceSpec => {
  if (typeof name !== "string" || name.trim() === "") {
    throw illegalOption("the name of a service", name, "a non-empty string")
  }
  return {
    name,
    host,
    managed: true,
    releaseTimeout: durationOption(`the stop timeout of service "${name}"`, options?.stop?.timeout),
    startTimeout: durationOption(`the start timeout of service "${name}"`, options?.start?.timeout)
  }
}

/** Reads a duration from an option, in milliseconds. Throws if it is none. */
export const durationOption = (option: string, input: DurationSetting | undefined): number | undefined => {
  if (input === undefined) return undefined
  const parsed = parseDuration(input)
  if (parsed === undefined) {
    throw illegalOption(option, input, "a duration that is not negative, such as \"500ms\", \"5s\" or \"2 minutes\"")
  }
  return Duration.toMillis(parsed)
}
