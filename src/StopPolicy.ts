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
import { parseDuration } from "./base/durationInput.ts"
import {
  durationExpected,
  fields,
  fit,
  merge,
  type PolicyError,
  type Source,
  strategies,
  variable
} from "./internal/policy/policyFields.ts"

export { PolicyError } from "./internal/policy/policyFields.ts"

/**
 * - `graceful`: all phases
 * - `fast`: no drain
 * - `immediate`: straight to release, which gets 0 s
 * - `patient`: no limits at all, other than those that a service sets for itself
 *
 * @category models
 * @since 0.1.0
 */
export const Strategy = Schema.Literals(strategies)
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
  return new StopPolicy(yield* fit(yield* merge(sources, yield* Defaults)))
})

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
