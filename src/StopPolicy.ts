/**
 * The rules of a stop: the strategy, the limit of each phase, and the one deadline that all of them share.
 *
 * Settings come from four sources; the first that has a value wins: the options of one submit, the job's own
 * `stopPolicy`, the configuration (`AUTOSTOP_…`), the defaults (the `StopPolicy.Defaults` reference).
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import type * as Struct from "effect/Struct"
import { isInstance } from "./base/valueText.ts"
import type { PolicyError } from "./internal/policy/policyError.ts"
import { fieldNames, policyDefaults, policyFields, policySchemas, variable } from "./internal/policy/policyFields.ts"
import { fitPolicy, mergePolicy, type PolicySettings, type PolicySource } from "./internal/policy/resolvePolicy.ts"
import { ServiceLimitsSchema } from "./internal/policy/serviceLimits.ts"
import { withServiceVariables } from "./internal/policy/serviceVariables.ts"

export { PolicyError } from "./internal/policy/policyError.ts"
export { type DurationSetting } from "./internal/policy/policyFields.ts"

/**
 * The extent of a stop.
 *
 * - `graceful`: all phases
 * - `fast`: no drain
 * - `immediate`: straight to the release, whose limit is 0 s
 * - `patient`: no limits, except those that a service sets for itself
 *
 * @category models
 * @since 0.1.0
 */
export const Strategy = policyFields.strategy.schema
/**
 * The type of a strategy.
 *
 * @category models
 * @since 0.1.0
 */
export type Strategy = typeof Strategy.Type

/**
 * The rules by which a job is stopped. Every duration is a limit, not a wait: a phase that has nothing to wait for
 * takes no time.
 *
 * | Field | Variable | Default |
 * |---|---|---|
 * | `strategy` | `AUTOSTOP_STRATEGY` | `graceful` |
 * | `delay` | `AUTOSTOP_DELAY` | 0 s |
 * | `drain` | `AUTOSTOP_DRAIN` | `work`: what sources emitted, and units; `run`: the whole run |
 * | `drainTimeout` | `AUTOSTOP_DRAIN_TIMEOUT` | 10 s |
 * | `cancelTimeout` | `AUTOSTOP_CANCEL_TIMEOUT` | 5 s |
 * | `releaseTimeout` | `AUTOSTOP_RELEASE_TIMEOUT` | 5 s, for each service |
 * | `releaseConcurrency` | `AUTOSTOP_RELEASE_CONCURRENCY` | `unbounded` |
 * | `onReleaseFailure` | `AUTOSTOP_ON_RELEASE_FAILURE` | `continue` |
 * | `killTimeout` | `AUTOSTOP_KILL_TIMEOUT` | 2 s |
 * | `deadline` | `AUTOSTOP_DEADLINE` | 25 s, for all phases together |
 * | `startTimeout` | `AUTOSTOP_START_TIMEOUT` | 30 s, for the acquire of each service |
 * | `services` | `AUTOSTOP_RELEASE_TIMEOUT_…` | none: `releaseTimeout`, or what a service sets for itself |
 *
 * **Details**
 *
 * `services` limits the release of single services, by their names in the report, and wins over what they set for
 * themselves: `{ "app/Db": { release: "20 seconds" } }`, or `AUTOSTOP_RELEASE_TIMEOUT_APP_DB=20s`. In a variable the name
 * is in capitals, with `_` for all but letters and digits. A name that none of the job's `services` has, or that two of
 * them share, fails the start.
 *
 * As JSON a duration is a number of milliseconds, or `"Infinity"`.
 *
 * @category models
 * @since 0.1.0
 */
export class StopPolicy extends Schema.Class<StopPolicy>("autostop/StopPolicy")({
  ...policySchemas,
  services: Schema.optionalKey(ServiceLimitsSchema)
}) {
  /** The policy that the ConfigProvider describes (`AUTOSTOP_…`), over the defaults. */
  static get config(): Config.Config<StopPolicy> {
    return config
  }

  /** The policy that holds where nothing else is set. Provide another one to change the defaults of a whole program. */
  static get Defaults(): Context.Reference<StopPolicy> {
    return Defaults
  }

  /**
   * Merges settings over the defaults: a later source wins. Fails with a `PolicyError` for the first setting that has the
   * wrong type or is out of range, and for a limit that was set and is longer than the deadline. A default that is longer
   * than a deadline that was set is shortened to it.
   */
  static resolve(sources: ReadonlyArray<PolicySource>): Effect.Effect<StopPolicy, PolicyError> {
    return resolve(sources)
  }

  /** Makes a source of `resolve` from settings as they stand in an options object. */
  static fromOptions(settings: Settings | undefined): PolicySource {
    return fromOptions(settings)
  }

  /** Reads the settings that the ConfigProvider has, as a source of `resolve`. */
  static get fromConfig(): Effect.Effect<PolicySource, Config.ConfigError> {
    return fromConfig
  }
}

/**
 * The types that belong to `StopPolicy`.
 *
 * @since 0.1.0
 */
export declare namespace StopPolicy {
  /** The settings that a user may write. */
  export type Settings = import("./StopPolicy.ts").Settings
  /** Settings of one source, for `StopPolicy.resolve`. */
  export type Source = PolicySource
}

/**
 * The settings that a user may write; each is optional. Durations are Effect's (`"5 seconds"`, a number of
 * milliseconds) or short (`"500ms"`, `"5s"`, `"2m"`, `"1h"`).
 *
 * @category models
 * @since 0.1.0
 */
export interface Settings extends Struct.Simplify<PolicySettings> {}

const Defaults = Context.Reference<StopPolicy>("autostop/StopPolicy/Defaults", {
  defaultValue: () => new StopPolicy(policyDefaults)
})

/** See `StopPolicy.resolve`. */
export const resolve = Effect.fnUntraced(function*(
  sources: ReadonlyArray<PolicySource>
): Effect.fn.Return<StopPolicy, PolicyError> {
  return new StopPolicy(yield* fitPolicy(yield* mergePolicy(sources, yield* Defaults)))
})

/** See `StopPolicy.fromOptions`. */
export const fromOptions = (settings: Settings | undefined): PolicySource => ({
  settings: isInstance(settings, StopPolicy) ? { ...settings } : settings ?? {},
  nameOf: (field) => field
})

const rawConfig: Config.Config<PolicySource["settings"]> = Config.all(
  Object.fromEntries(fieldNames.map((field) => [field, Config.option(Config.String(variable(field)))]))
).pipe(
  Config.map((raw) =>
    Object.fromEntries(
      Object.entries(raw).flatMap(([field, value]) => Option.isSome(value) ? [[field, value.value]] : [])
    )
  ),
  Config.mapEffect(withServiceVariables)
)

/** See `StopPolicy.fromConfig`. */
export const fromConfig: Effect.Effect<PolicySource, Config.ConfigError> = Effect.suspend(() =>
  Effect.map(rawConfig, (settings): PolicySource => ({ settings, nameOf: variable }))
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
