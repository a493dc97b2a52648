/**
 * What a user sets, as plain values: how each setting is read, what it is called where it was written, and how settings
 * of several places become one.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Mutable } from "effect/Types"
// types only: that module is built on this one
import type { Settings, StopPolicy } from "../../StopPolicy.ts"
import { parseDuration } from "../../base/durationInput.ts"

/**
 * A setting that cannot be used: out of range, of the wrong type, or in conflict with another. Nothing was started.
 *
 * @category errors
 * @since 0.1.0
 */
export class PolicyError extends Schema.TaggedError<PolicyError>()("PolicyError", {
  /** The setting as its user wrote it: a field, a variable, or a flag. */
  setting: Schema.String,
  /** The value that was refused. */
  value: Schema.String,
  /** What is allowed. */
  expected: Schema.String,
  message: Schema.String
}) {
  /** @internal */
  static of(setting: string, value: unknown, expected: string): PolicyError {
    const shown = show(value)
    return new PolicyError({ setting, value: shown, expected, message: `${setting} is ${shown}; expected ${expected}` })
  }
}

/** The names of the strategies; what they mean stands at `Strategy`. */
export const strategies = ["graceful", "fast", "immediate", "patient"] as const

/** What a duration is to those who wrote something else. */
export const durationExpected =
  "a duration that is not negative, such as \"500ms\", \"5s\" or \"2 minutes\", or \"Infinity\""

type Parser<A> = { readonly expected: string; readonly parse: (input: unknown) => A | undefined }

const oneOf = <A extends string>(values: ReadonlyArray<A>): Parser<A> => ({
  expected: `one of ${values.join(", ")}`,
  parse: (input) => values.find((value) => value === input)
})
const duration: Parser<Duration.Duration> = { expected: durationExpected, parse: parseDuration }

/** A whole policy, as plain values. */
type Values = { readonly [K in keyof StopPolicy]: StopPolicy[K] }

/** A wait, unlike a limit, has an end. */
const finite: Parser<Duration.Duration> = {
  expected: "a duration that is not negative and not infinite, such as \"500ms\", \"5s\" or \"2 minutes\"",
  parse: (input) => {
    const parsed = parseDuration(input)
    return parsed !== undefined && Duration.isFinite(parsed) ? parsed : undefined
  }
}

const parsers: { readonly [K in keyof Values]: Parser<Values[K]> } = {
  strategy: oneOf(strategies),
  delay: finite,
  drainTimeout: duration,
  cancelTimeout: duration,
  releaseTimeout: duration,
  releaseConcurrency: {
    expected: "a whole number of at least 1, or \"unbounded\"",
    parse: (input) => {
      if (input === "unbounded") return input
      const number = typeof input === "string" && /^\d+$/.test(input.trim()) ? Number(input) : input
      return Number.isSafeInteger(number) && Number(number) >= 1 ? Number(number) : undefined
    }
  },
  onReleaseFailure: oneOf(["continue", "kill"]),
  killTimeout: duration,
  deadline: duration,
  startTimeout: duration
}

/** The names of all settings, in the order of the documentation. */
export const fields = Object.keys(parsers) as ReadonlyArray<keyof Settings> // `parsers` has exactly these keys

const dashed = (field: string, by: string) => field.replace(/[A-Z]/g, (letter) => by + letter)

/** The variable of a setting: `drainTimeout` is `AUTOSTOP_DRAIN_TIMEOUT`. */
export const variable = (field: string): string => `AUTOSTOP_${dashed(field, "_").toUpperCase()}`

/** The flag of a setting: `drainTimeout` is `--drain-timeout`. */
export const flag = (field: string): string => `--${dashed(field, "-").toLowerCase()}`

/** Settings and the name that each has where it was written, for error messages. */
export interface Source {
  readonly settings: { readonly [K in keyof Settings]?: unknown }
  readonly nameOf: (field: keyof Settings) => string
}

/** The limits that the deadline must have room for. */
const bounded = ["delay", "drainTimeout", "cancelTimeout", "releaseTimeout", "killTimeout"] as const

/** What `patient` means. The delay is no limit but a wait: it is kept. */
const patient = {
  drainTimeout: Duration.infinity,
  cancelTimeout: Duration.infinity,
  releaseTimeout: Duration.infinity,
  killTimeout: Duration.infinity,
  deadline: Duration.infinity,
  startTimeout: Duration.infinity
}

/** What several sources say together, and the names that were used for what they set. */
export interface Merged {
  readonly values: Values
  readonly names: ReadonlyMap<keyof Settings, string>
}

/**
 * Merges sources over the defaults: a later one wins. Fails for the first setting that is of the wrong type or out of
 * range, also where a later one wins over it. The strategy `patient`, once all of them are merged, lifts the limits.
 *
 * Whether the limits fit into the deadline is left to `fit`: as long as a source is missing, either of them may change.
 */
export const merge = Effect.fnUntraced(function*(
  sources: ReadonlyArray<Source>,
  defaults: Values
): Effect.fn.Return<Merged, PolicyError> {
  const values: Mutable<Values> = { ...defaults }
  const names = new Map<keyof Settings, string>()
  const read = <K extends keyof Values>(field: K, input: unknown, name: string) => {
    const parsed = parsers[field].parse(input)
    if (parsed === undefined) return PolicyError.of(name, input, parsers[field].expected)
    values[field] = parsed
    names.set(field, name)
    return undefined
  }
  for (const { nameOf, settings } of sources) {
    const prototype = typeof settings === "object" && settings !== null ? Object.getPrototypeOf(settings) : undefined
    if (prototype !== Object.prototype && prototype !== null) {
      return yield* PolicyError.of("stopPolicy", settings, `an object with the settings ${fields.join(", ")}`)
    }
    for (const field of Object.keys(settings)) {
      if (!isField(field)) {
        return yield* PolicyError.of(field, Reflect.get(settings, field), `one of the settings ${fields.join(", ")}`)
      }
      if (settings[field] === undefined) continue
      const error = read(field, settings[field], nameOf(field))
      if (error !== undefined) return yield* error
    }
  }
  return { names, values: values.strategy === "patient" ? { ...values, ...patient } : values }
})

/**
 * Fits the limits into the deadline. Fails for one that was set and is longer. A default that is longer gives way, and
 * so does a limit without an end.
 */
export const fit = Effect.fnUntraced(function*({ names, values }: Merged): Effect.fn.Return<Values, PolicyError> {
  const fitted: Mutable<Values> = { ...values }
  for (const field of bounded) {
    if (!Duration.isGreaterThan(values[field], values.deadline)) continue
    const name = names.get(field)
    if (name !== undefined && Duration.isFinite(values[field])) {
      const deadline = `${names.get("deadline") ?? "deadline"} (${show(values.deadline)})`
      return yield* PolicyError.of(name, values[field], `no more than ${deadline}, which all phases share`)
    }
    fitted[field] = values.deadline
  }
  return fitted
})

const isField = (name: string): name is keyof Settings => Object.hasOwn(parsers, name)

const show = (value: unknown): string => {
  if (Duration.isDuration(value)) return Duration.format(value)
  if (typeof value === "string") return JSON.stringify(value)
  if (typeof value !== "object" || value === null) return String(value)
  try {
    return JSON.stringify(value)
  } catch {
    return Object.prototype.toString.call(value)
  }
}
