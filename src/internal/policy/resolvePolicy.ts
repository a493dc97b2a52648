/** Merges the settings of several sources into one policy. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Mutable } from "effect/Types"
import { showValue } from "../../base/illegalOption.ts"
import { isPlainObject } from "../../base/plainObject.ts"
import { attempt, isInstance } from "../../base/valueText.ts"
import { PolicyError } from "./policyError.ts"
import {
  type FieldName,
  fieldNames,
  type FieldSettings,
  type FieldValues,
  isFieldName,
  policyFields
} from "./policyFields.ts"
import { limitName, mergeServices, parseServices, type ServiceLimits, type ServiceSettings } from "./serviceLimits.ts"

/** A whole policy, as plain values. */
export type PolicyValues = FieldValues & { readonly services?: ServiceLimits }

/** The settings that a user may write; each is optional. */
export type PolicySettings = FieldSettings & {
  /** The limits of single services, by their names in the report: `{ "app/Db": { release: "20 seconds" } }`. */
  readonly services?: ServiceSettings | undefined
}

/** The names of all settings. */
const settingNames = [...fieldNames, "services"].join(", ")

/** Settings, and the name that each has where it was written: error messages use it. */
export interface PolicySource {
  readonly settings: { readonly [K in keyof PolicySettings]?: unknown }
  readonly nameOf: (field: FieldName) => string
}

/** The values of several sources, and the names of those that were set. */
export interface MergedPolicy {
  readonly values: PolicyValues
  readonly names: ReadonlyMap<FieldName, string>
}

/**
 * Merges sources over the defaults: a later one wins. Fails for the first setting that has the wrong type or is out of
 * range, even if a later source overrides it. The strategy `patient` lifts the limits of the result.
 *
 * `fitPolicy` checks the limits against the deadline, because a source that is still missing may change either of them.
 */
export const mergePolicy = Effect.fnUntraced(function*(
  sources: ReadonlyArray<PolicySource>,
  defaults: PolicyValues
): Effect.fn.Return<MergedPolicy, PolicyError> {
  const values: Mutable<PolicyValues> = { ...defaults }
  const names = new Map<FieldName, string>()
  for (const { nameOf, settings: given } of sources) {
    const settings = plainCopy(given)
    if (settings === undefined) {
      return yield* PolicyError.of("stopPolicy", given, `an object with the settings ${settingNames}`)
    }
    for (const field of Object.keys(settings)) {
      if (field === "services") {
        if (settings.services === undefined) continue
        const services = parseServices(settings.services)
        if (isInstance(services, PolicyError)) return yield* services
        if (Object.keys(services).length > 0) values.services = mergeServices(values.services, services)
        continue
      }
      if (!isFieldName(field)) {
        return yield* PolicyError.of(field, Reflect.get(settings, field), `one of the settings ${settingNames}`)
      }
      const input = settings[field]
      if (input === undefined) continue
      const { expected, parse } = policyFields[field]
      const parsed = parse(input)
      if (parsed === undefined) return yield* PolicyError.of(nameOf(field), input, expected)
      Object.assign(values, { [field]: parsed })
      names.set(field, nameOf(field))
    }
  }
  return { names, values: values.strategy === "patient" ? { ...values, ...patientLimits } : values }
})

/** Reads each setting once. Returns undefined for what is no plain object, or cannot be read. */
const plainCopy = (settings: PolicySource["settings"]): PolicySource["settings"] | undefined =>
  attempt(() => isPlainObject(settings) ? { ...settings } : undefined)

const patientLimits: Partial<PolicyValues> = Object.fromEntries(
  fieldNames.flatMap((name) => {
    const { patient } = policyFields[name]
    return patient === undefined ? [] : [[name, patient]]
  })
)

/**
 * Fits the limits into the deadline. Fails for a limit that was set and is longer than the deadline. A default that is
 * longer, or a limit without an end, is shortened to the deadline.
 */
export const fitPolicy = Effect.fnUntraced(function*(
  { names, values }: MergedPolicy
): Effect.fn.Return<PolicyValues, PolicyError> {
  const fitted: Mutable<PolicyValues> = { ...values }
  const tooLong = (name: string, value: Duration.Duration): PolicyError => {
    const deadline = `${names.get("deadline") ?? "deadline"} (${showValue(values.deadline)})`
    return PolicyError.of(name, value, `no more than ${deadline}, which all phases share`)
  }
  for (const field of fieldNames) {
    const value = values[field]
    if (!policyFields[field].withinDeadline || !Duration.isDuration(value)) continue
    if (!Duration.isGreaterThan(value, values.deadline)) continue
    const name = names.get(field)
    if (name !== undefined && Duration.isFinite(value)) return yield* tooLong(name, value)
    Object.assign(fitted, { [field]: values.deadline })
  }
  for (const [key, { release }] of Object.entries(values.services ?? {})) {
    if (Duration.isFinite(release) && Duration.isGreaterThan(release, values.deadline)) {
      return yield* tooLong(limitName(key), release)
    }
  }
  return fitted
})
