import * as Duration from "effect/Duration"
import { forEachField, type PolicyValues } from "./policyFields.ts"

/** A policy whose durations are milliseconds; `Infinity` is no limit. */
export type PolicyMillis = {
  readonly [K in keyof PolicyValues]: PolicyValues[K] extends Duration.Duration ? number : PolicyValues[K]
}

export const policyMillis = (policy: PolicyValues): PolicyMillis =>
  forEachField((name) => {
    const value = policy[name]
    return Duration.isDuration(value) ? Duration.toMillis(value) : value
  }) as PolicyMillis // each value stands under the name of its field

/** Reads what `JSON.stringify` made of a `PolicyMillis`: JSON has no infinity, it writes `null`. */
export const policyMillisFromJson = (json: PolicyMillis): PolicyMillis =>
  forEachField((name) => json[name] ?? Infinity) as PolicyMillis // only durations can be null
