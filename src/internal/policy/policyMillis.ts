import * as Duration from "effect/Duration"
import { type FieldValues, forEachField } from "./policyFields.ts"
import type { PolicyValues } from "./resolvePolicy.ts"
import { type ServiceMillis, serviceMillis, serviceMillisFromJson } from "./serviceLimits.ts"

type FieldMillis = {
  readonly [K in keyof FieldValues]: FieldValues[K] extends Duration.Duration ? number : FieldValues[K]
}

/** A policy whose durations are milliseconds; `Infinity` is no limit. */
export type PolicyMillis = FieldMillis & { readonly services?: ServiceMillis }

export const policyMillis = ({ services, ...fields }: PolicyValues): PolicyMillis => {
  const millis = forEachField((name) => {
    const value = fields[name]
    return Duration.isDuration(value) ? Duration.toMillis(value) : value
  }) as FieldMillis // each value stands under the name of its field
  return services === undefined ? millis : { ...millis, services: serviceMillis(services) }
}

/** Reads what `JSON.stringify` made of a `PolicyMillis`: JSON has no infinity, it writes `null`. */
export const policyMillisFromJson = (json: PolicyMillis): PolicyMillis => {
  const millis = forEachField((name) => json[name] ?? Infinity) as FieldMillis // only durations can be null
  return json.services === undefined ? millis : { ...millis, services: serviceMillisFromJson(json.services) }
}
