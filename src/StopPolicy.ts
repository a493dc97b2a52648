/**
 * How to stop: the strategy, the time limit of each phase, and the one deadline that all of them share.
 *
 * Settings come from four places; the first that has a value wins: the options of one submit, the job's own
 * `stopPolicy`, the configuration (`AUTOSTOP_…`), the defaults (the `StopPolicy.Defaults` reference).
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaTransformation from "effect/SchemaTransformation"
import { parseDuration } from "./internal/duration.ts"

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

/**
 * - `graceful`: all phases
 * - `fast`: no drain
 * - `immediate`: straight to release, which gets 0 s
 * - `patient`: no limits at all, other than those that a service sets for itself
 *
 * @category models
 * @since 0.1.0
 */
export const Strategy = Schema.Literals(["graceful", "fast", "immediate", "patient"])
/**
 * @category models
 * @since 0.1.0
 */
export type Strategy = typeof Strategy.Type

/** A duration; as JSON a number of milliseconds, or `"Infinity"`. */
const Limit = Schema.Union([Schema.Number, Schema.String]).pipe(
  Schema.decodeTo(
    Schema.Duration.check(Schema.makeFilter((limit) => Duration.isGreaterThanOrEqualTo(limit, Duration.zero))),
    SchemaTransformation.transformEffect({
      decode: (input: number | string, options) => {
        const parsed = parseDuration(input)
        return parsed === undefined
          ? Effect.fail(new SchemaIssue.InvalidValue({ expected: durationExpected }, input, options))
          : Effect.succeed(parsed)
      },
      encode: (limit: Duration.Duration) =>
        Effect.succeed(Duration.isFinite(limit) ? Duration.toMillis(limit) : "Infinity")
    })
  )
)

const Concurrency = Schema.Union([Schema.Int.check(Schema.isGreaterThanOrEqualTo(1)), Schema.Literal("unbounded")])

/**
 * How a job is stopped. Every duration is a limit, not a wait: a phase that has nothing to wait for takes no time.
 *
 * | Field | Variable | Default |
 * |---|---|---|
 * | `strategy` | `AUTOSTOP_STRATEGY` | `graceful` |
 * | `delay` | `AUTOSTOP_DELAY` | 0 s |
 * | `drainTimeout` | `AUTOSTOP_DRAIN_TIMEOUT` | 10 s |
 * | `cancelTimeout` | `AUTOSTOP_CANCEL_TIMEOUT` | 5 s |
 * | `releaseTimeout` | `AUTOSTOP_RELEASE_TIMEOUT` | 5 s, for each service |
 * | `releaseConcurrency` | `AUTOSTOP_RELEASE_CONCURRENCY` | `unbounded` |
 * | `onReleaseFailure` | `AUTOSTOP_ON_RELEASE_FAILURE` | `continue` |
 * | `killTimeout` | `AUTOSTOP_KILL_TIMEOUT` | 2 s |
 * | `deadline` | `AUTOSTOP_DEADLINE` | 25 s, for all phases together |
 * | `startTimeout` | `AUTOSTOP_START_TIMEOUT` | 30 s, for the acquire of each service |
 *
 * @category models
 * @since 0.1.0
 */
export class StopPolicy extends Schema.Class<StopPolicy>("autostop/StopPolicy")({
  strategy: Strategy,
  delay: Limit,
  drainTimeout: Limit,
  cancelTimeout: Limit,
  releaseTimeout: Limit,
  releaseConcurrency: Concurrency,
  onReleaseFailure: Schema.Literals(["continue", "kill"]),
  killTimeout: Limit,
  deadline: Limit,
  startTimeout: Limit
}) {
  /** The policy that the ConfigProvider describes (`AUTOSTOP_…`), over the defaults. */
  static get config(): Config.Config<StopPolicy> {
    return config
  }

  /** The policy where nothing else is set. Provide another one to change the defaults of a whole program. */
  static get Defaults(): Context.Reference<StopPolicy> {
    return Defaults
  }
}

/**
 * @since 0.1.0
 */
export declare namespace StopPolicy {
  /** What a user may set; see `Settings`. */
  export type Settings = import("./StopPolicy.ts").Settings
}

/**
 * What a user may set; all of it is optional. Durations are Effect's (`"5 seconds"`, a number of milliseconds) or
 * short (`"500ms"`, `"5s"`, `"2m"`, `"1h"`).
 *
 * @category models
 * @since 0.1.0
 */
export interface Settings {
  readonly strategy?: Strategy | undefined
  readonly delay?: DurationSetting | undefined
  readonly drainTimeout?: DurationSetting | undefined
  readonly cancelTimeout?: DurationSetting | undefined
  readonly releaseTimeout?: DurationSetting | undefined
  readonly releaseConcurrency?: number | "unbounded" | undefined
  readonly onReleaseFailure?: "continue" | "kill" | undefined
  readonly killTimeout?: DurationSetting | undefined
  readonly deadline?: DurationSetting | undefined
  readonly startTimeout?: DurationSetting | undefined
}

/**
 * @category models
 * @since 0.1.0
 */
export type DurationSetting = Duration.Input | `${number}${"ms" | "s" | "m" | "h"}`

const Defaults = Context.Reference<StopPolicy>("autostop/StopPolicy/Defaults", {
  defaultValue: () =>
    new StopPolicy({
      strategy: "graceful",
      delay: Duration.zero,
      drainTimeout: Duration.seconds(10),
      cancelTimeout: Duration.seconds(5),
      releaseTimeout: Duration.seconds(5),
      releaseConcurrency: "unbounded",
      onReleaseFailure: "continue",
      killTimeout: Duration.seconds(2),
      deadline: Duration.seconds(25),
      startTimeout: Duration.seconds(30)
    })
})

const durationExpected = "a duration that is not negative, such as \"500ms\", \"5s\" or \"2 minutes\", or \"Infinity\""

type Parser<A> = { readonly expected: string; readonly parse: (input: unknown) => A | undefined }

const oneOf = <A extends string>(values: ReadonlyArray<A>): Parser<A> => ({
  expected: `one of ${values.join(", ")}`,
  parse: (input) => values.find((value) => value === input)
})
const duration: Parser<Duration.Duration> = { expected: durationExpected, parse: parseDuration }

type Fields = { readonly [K in keyof StopPolicy]: StopPolicy[K] }

/** A wait, unlike a limit, has an end. */
const finite: Parser<Duration.Duration> = {
  expected: "a duration that is not negative and not infinite, such as \"500ms\", \"5s\" or \"2 minutes\"",
  parse: (input) => {
    const parsed = parseDuration(input)
    return parsed !== undefined && Duration.isFinite(parsed) ? parsed : undefined
  }
}

const parsers: { readonly [K in keyof Fields]: Parser<Fields[K]> } = {
  strategy: oneOf(Strategy.literals),
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

/**
 * The names of all settings, in the order of the documentation.
 *
 * @category settings
 * @since 0.1.0
 */
export const fields = Object.keys(parsers) as ReadonlyArray<keyof Settings> // `parsers` has exactly these keys

const dashed = (field: string, by: string) => field.replace(/[A-Z]/g, (letter) => by + letter)

/**
 * The variable of a setting: `drainTimeout` is `AUTOSTOP_DRAIN_TIMEOUT`.
 *
 * @category settings
 * @since 0.1.0
 */
export const variable = (field: keyof Settings): string => `AUTOSTOP_${dashed(field, "_").toUpperCase()}`

/**
 * The flag of a setting: `drainTimeout` is `--drain-timeout`.
 *
 * @category settings
 * @since 0.1.0
 */
export const flag = (field: keyof Settings): string => `--${dashed(field, "-").toLowerCase()}`

/**
 * Settings and the name that each has where it was written, for error messages.
 *
 * @category settings
 * @since 0.1.0
 */
export interface Source {
  readonly settings: { readonly [K in keyof Settings]?: unknown }
  readonly nameOf: (field: keyof Settings) => string
}

/** The limits that the deadline must have room for. */
const bounded = ["delay", "drainTimeout", "cancelTimeout", "releaseTimeout", "killTimeout"] as const

/**
 * Merges settings over the defaults: a later source wins. Fails with a `PolicyError` for the first setting that is of
 * the wrong type or out of range, and for a limit longer than the deadline when both of them, or the limit alone, were
 * set. A default that is longer than a deadline that was set is shortened to it instead.
 *
 * @category constructors
 * @since 0.1.0
 */
export const resolve = Effect.fnUntraced(function*(
  sources: ReadonlyArray<Source>
): Effect.fn.Return<StopPolicy, PolicyError> {
  const defaults = yield* Defaults
  const values: { -readonly [K in keyof Fields]: Fields[K] } = { ...defaults }
  const names = new Map<keyof Settings, string>()
  const read = <K extends keyof Fields>(field: K, input: unknown, name: string) => {
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
  if (values.strategy === "patient") {
    for (const field of [...bounded, "deadline", "startTimeout"] as const) {
      if (field !== "delay") values[field] = Duration.infinity
    }
    return new StopPolicy(values)
  }
  for (const field of bounded) {
    if (!Duration.isGreaterThan(values[field], values.deadline)) continue
    const name = names.get(field)
    if (name !== undefined && Duration.isFinite(values[field])) {
      const deadline = `${names.get("deadline") ?? "deadline"} (${show(values.deadline)})`
      return yield* PolicyError.of(name, values[field], `no more than ${deadline}, which all phases share`)
    }
    values[field] = values.deadline
  }
  return new StopPolicy(values)
})

const isField = (name: string): name is keyof Settings => Object.hasOwn(parsers, name)

/**
 * Settings as they stand in an options object.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromOptions = (settings: Settings | undefined): Source => ({
  settings: settings instanceof StopPolicy ? { ...settings } : settings ?? {},
  nameOf: (field) => field
})

/**
 * The settings that the ConfigProvider has.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromConfig: Effect.Effect<Source, Config.ConfigError> = Effect.suspend(() =>
  Effect.map(rawConfig, (settings): Source => ({ settings, nameOf: variable }))
)

const rawConfig: Config.Config<Source["settings"]> = Config.all(
  Object.fromEntries(fields.map((field) => [field, Config.option(Config.String(variable(field)))]))
).pipe(
  Config.map((raw) =>
    Object.fromEntries(
      Object.entries(raw).flatMap(([field, value]) => Option.isSome(value) ? [[field, value.value]] : [])
    )
  )
)

const config: Config.Config<StopPolicy> = Config.mapEffect(rawConfig, (settings) =>
  Effect.mapError(
    resolve([{ settings, nameOf: variable }]),
    (error) =>
      new Config.ConfigError(
        new Schema.SchemaError(
          new SchemaIssue.Pointer(
            [error.setting],
            new SchemaIssue.InvalidValue({ expected: `${error.expected}, not ${error.value}` }, error.value)
          )
        )
      )
  ))

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
