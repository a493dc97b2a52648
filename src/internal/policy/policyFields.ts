/**
 * The one table of the stop settings. The class, the type of what a user may write, the variables, the flags, the limits
 * in milliseconds and the documentation derive from it.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaTransformation from "effect/SchemaTransformation"
import { parseDuration } from "../../base/durationInput.ts"

/**
 * A duration as settings take it: Effect's own inputs (`"5 seconds"`, a number of milliseconds, a Duration), or short
 * (`"500ms"`, `"5s"`, `"2m"`, `"1h"`).
 *
 * @category models
 * @since 0.1.0
 */
export type DurationSetting = Duration.Input | `${number}${"ms" | "s" | "m" | "h"}`

/** One setting. `Input` is what a user may write. */
export interface PolicyField<S extends Schema.Top, Input> {
  readonly schema: S
  /** Reads what a user wrote; `undefined` if it is not allowed. */
  readonly parse: (input: unknown) => S["Type"] | undefined
  /** The allowed values, for error messages. */
  readonly expected: string
  readonly default: S["Type"]
  readonly description: string
  /** The value under the strategy `patient`, where that differs. */
  readonly patient?: S["Type"]
  /** `true` for the limits that the deadline must have room for. */
  readonly withinDeadline: boolean
  /** Holds the type of the input; there is no such value. */
  readonly Input?: Input
}

/** The expected form of a duration, for error messages. */
export const durationExpected =
  "a duration that is not negative, such as \"500ms\", \"5s\" or \"2 minutes\", or \"Infinity\""

/** A duration; as JSON a number of milliseconds, or `"Infinity"`. */
export const DurationSchema = Schema.Union([Schema.Number, Schema.String]).pipe(
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

type DurationField = PolicyField<typeof DurationSchema, DurationSetting>

const limit = (seconds: number, description: string, withinDeadline: boolean): DurationField => ({
  schema: DurationSchema,
  parse: parseDuration,
  expected: durationExpected,
  default: Duration.seconds(seconds),
  description,
  patient: Duration.infinity,
  withinDeadline
})

const choice = <const A extends string>(
  values: ReadonlyArray<A>,
  byDefault: NoInfer<A>,
  description: string
): PolicyField<Schema.Literals<ReadonlyArray<A>>, A> => ({
  schema: Schema.Literals(values),
  parse: (input) => values.find((value) => value === input),
  expected: `one of ${values.join(", ")}`,
  default: byDefault,
  description,
  withinDeadline: false
})

/** A wait, unlike a limit, must end; it stays under the strategy `patient`. */
const delay: DurationField = {
  schema: DurationSchema,
  parse: (input) => {
    const parsed = parseDuration(input)
    return parsed !== undefined && Duration.isFinite(parsed) ? parsed : undefined
  },
  expected: "a duration that is not negative and not infinite, such as \"500ms\", \"5s\" or \"2 minutes\"",
  default: Duration.zero,
  description: "How long the job reports \"stopping\" before anything is stopped",
  withinDeadline: true
}

const Concurrency = Schema.Union([Schema.Int.check(Schema.isGreaterThanOrEqualTo(1)), Schema.Literal("unbounded")])

const concurrency: PolicyField<typeof Concurrency, number | "unbounded"> = {
  schema: Concurrency,
  parse: (input) => {
    if (input === "unbounded") return input
    const number = typeof input === "string" && /^\d+$/.test(input.trim()) ? Number(input) : input
    return Number.isSafeInteger(number) && Number(number) >= 1 ? Number(number) : undefined
  },
  expected: "a whole number of at least 1, or \"unbounded\"",
  default: "unbounded",
  description: "How many services are released at once",
  withinDeadline: false
}

export const policyFields = {
  strategy: choice(
    ["graceful", "fast", "immediate", "patient"],
    "graceful",
    "How to stop: graceful, fast (no drain), immediate (straight to release), patient (no limits)"
  ),
  delay,
  drain: choice(
    ["work", "run"],
    "work",
    "What a drain waits for: work (what sources emitted, and units of work), or the whole run"
  ),
  drainTimeout: limit(10, "The limit of the drain", true),
  cancelTimeout: limit(5, "The limit of the interrupt of the run", true),
  releaseTimeout: limit(5, "The limit of each service's release", true),
  releaseConcurrency: concurrency,
  onReleaseFailure: choice(["continue", "kill"], "continue", "What a failed release means for the other services"),
  killTimeout: limit(2, "The limit of a kill", true),
  deadline: limit(25, "The limit of all phases together", false),
  startTimeout: limit(30, "The limit of each service's start", false)
}

type Fields = typeof policyFields

export type FieldName = keyof Fields

/** The names of all settings, in the order of the documentation. */
export const fieldNames = Object.keys(policyFields) as ReadonlyArray<FieldName> // the table has exactly these keys

/** The values of all settings of this table. */
export type FieldValues = { readonly [K in FieldName]: Fields[K]["default"] }

/** The settings of this table that a user may write; each is optional. */
export type FieldSettings = {
  readonly [K in FieldName]?: NonNullable<Fields[K]["Input"]> | undefined
}

/** Makes an object with one entry for each field. */
export const forEachField = <A>(f: (name: FieldName) => A): { readonly [K in FieldName]: A } =>
  Object.fromEntries(fieldNames.map((name) => [name, f(name)])) as { readonly [K in FieldName]: A } // one for each name

export const isFieldName = (name: string): name is FieldName => Object.hasOwn(policyFields, name)

/** The Schema of each field. */
export const policySchemas = forEachField((name) => policyFields[name].schema) as {
  readonly [K in FieldName]: Fields[K]["schema"]
} // each schema stands under the name of its field

/** The default of each field. */
export const policyDefaults = forEachField((name) => policyFields[name].default) as FieldValues // as above

const dashed = (field: string, by: string) => field.replace(/[A-Z]/g, (letter) => by + letter)

/** The variable of a setting: `drainTimeout` is `AUTOSTOP_DRAIN_TIMEOUT`. */
export const variable = (field: string): string => `AUTOSTOP_${dashed(field, "_").toUpperCase()}`

/** The flag of a setting: `drainTimeout` is `--drain-timeout`. */
export const flag = (field: string): string => `--${dashed(field, "-").toLowerCase()}`
