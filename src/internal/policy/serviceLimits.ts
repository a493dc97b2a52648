/** The limits that a policy sets for single services, by their names: without a change of the code that has the service. */
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import { parseDuration } from "../../base/durationInput.ts"
import { isPlainObject } from "../../base/plainObject.ts"
import { attempt } from "../../base/valueText.ts"
import { PolicyError } from "./policyError.ts"
import { durationExpected, DurationSchema, type DurationSetting, variable } from "./policyFields.ts"

/** The limits of services, as their user writes them: by the name in the report, or by the variable that is made of it. */
export type ServiceSettings = { readonly [name: string]: { readonly release?: DurationSetting | undefined } }

/** The limits of services, as a policy has them. */
export type ServiceLimits = { readonly [name: string]: { readonly release: Duration.Duration } }

/** The same in milliseconds. */
export type ServiceMillis = { readonly [name: string]: { readonly release: number } }

export const ServiceLimitsSchema = Schema.Record(Schema.String, Schema.Struct({ release: DurationSchema }))

/** The beginning of a variable that limits the release of one service. */
export const variablePrefix = `${variable("releaseTimeout")}_`

/** A name as a variable has it: `app/Db` is `APP_DB`. */
const constantCase = (name: string): string => name.replace(/[^A-Za-z0-9]+/g, "_").replace(/^_|_$/g, "").toUpperCase()

/** Returns the variable that limits the release of a service: that of `app/Db` is `AUTOSTOP_RELEASE_TIMEOUT_APP_DB`. */
export const variableOf = (service: string): string => variablePrefix + constantCase(service)

/** The name of a limit in error messages: as its user wrote it. */
export const limitName = (key: string): string =>
  key.startsWith(variablePrefix) ? key : `services[${JSON.stringify(key)}].release`

const expectedHere = `an object of limits by the names of services, such as { "app/Db": { release: "20 seconds" } }`

/** Reads the limits of one source. Returns the error for the first one that cannot be used. */
export const parseServices = (input: unknown): ServiceLimits | PolicyError => {
  const named = entriesOf(input)
  if (named === undefined) return PolicyError.of("services", input, expectedHere)
  const limits: Record<string, { readonly release: Duration.Duration }> = {}
  for (const [name, own] of named) {
    const settings = entriesOf(own)
    if (settings === undefined || name.trim() === "") {
      return PolicyError.of(`services[${JSON.stringify(name)}]`, own, expectedHere)
    }
    for (const [setting, value] of settings) {
      if (setting !== "release") {
        return PolicyError.of(`services[${JSON.stringify(name)}].${setting}`, value, "the setting release")
      }
      if (value === undefined) continue
      const release = parseDuration(value)
      if (release === undefined) return PolicyError.of(limitName(name), value, durationExpected)
      // a name may be `__proto__`
      Object.defineProperty(limits, name, { value: { release }, enumerable: true })
    }
  }
  return limits
}

/** Merges the limits of two sources: the later one wins, whichever way it writes the name. */
export const mergeServices = (earlier: ServiceLimits | undefined, later: ServiceLimits): ServiceLimits => {
  const taken = new Set(Object.keys(later).map(keyVariable))
  const kept = Object.entries(earlier ?? {}).filter(([key]) => !taken.has(keyVariable(key)))
  return Object.fromEntries([...kept, ...Object.entries(later)])
}

const keyVariable = (key: string): string => key.startsWith(variablePrefix) ? key : variableOf(key)

export const serviceMillis = (limits: ServiceLimits): ServiceMillis =>
  mapLimits(limits, ({ release }) => ({ release: Duration.toMillis(release) }))

/** Reads what `JSON.stringify` made of limits in milliseconds: JSON has no infinity, it writes `null`. */
export const serviceMillisFromJson = (json: ServiceMillis): ServiceMillis =>
  mapLimits(json, ({ release }) => ({ release: release ?? Infinity }))

const mapLimits = <A, B>(limits: { readonly [name: string]: A }, f: (limit: A) => B): { readonly [name: string]: B } =>
  Object.fromEntries(Object.entries(limits).map(([name, limit]) => [name, f(limit)]))

/**
 * Returns the error for the first limit that is not that of one service. Each service has the name in the report, and the
 * one that it has without a number.
 */
export const misnamedLimit = (
  keys: ReadonlyArray<string>,
  services: ReadonlyArray<readonly [unique: string, name: string]>
): PolicyError | undefined => {
  for (const key of keys) {
    const limited = services.filter((names) => names.some((name) => key === name || key === variableOf(name)))
    if (limited.length === 1) continue
    const names = (limited.length === 0 ? services : limited).map(([unique]) => JSON.stringify(unique)).join(", ")
    const setting = limitName(key)
    const expected = limited.length > 0
      ? `the name of one service, but ${names} share it`
      : services.length === 0
      ? "the name of a service, but there are none"
      : `the name of a service: ${names}`
    return new PolicyError({
      setting,
      value: key,
      expected,
      message: `${setting} limits no service; expected ${expected}`
    })
  }
  return undefined
}

/** Returns the limit of the release that a policy has for a service with one of these names, in milliseconds. */
export const releaseLimitOf = (
  services: ServiceMillis,
  names: ReadonlyArray<string>
): number | undefined => {
  for (const name of names) {
    const own = Object.hasOwn(services, name) ? services[name] : services[variableOf(name)]
    if (own !== undefined) return own.release
  }
  return undefined
}

/** Returns the entries of a plain object, or undefined for anything else. Reads each once. */
const entriesOf = (input: unknown): ReadonlyArray<readonly [string, unknown]> | undefined =>
  attempt(() => isPlainObject(input) ? Object.entries(input) : undefined)
