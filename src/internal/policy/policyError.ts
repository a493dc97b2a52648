import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"

/**
 * A setting that cannot be used: it is out of range, has the wrong type, or conflicts with another one. Nothing was
 * started.
 *
 * @category errors
 * @since 0.1.0
 */
export class PolicyError extends Schema.TaggedError<PolicyError>()("PolicyError", {
  /** The setting as its user wrote it: a field, a variable, or a flag. */
  setting: Schema.String,
  /** The value that was refused. */
  value: Schema.String,
  /** The values that are allowed. */
  expected: Schema.String,
  message: Schema.String
}) {
  /** @internal */
  static of(setting: string, value: unknown, expected: string): PolicyError {
    const shown = showValue(value)
    return new PolicyError({ setting, value: shown, expected, message: `${setting} is ${shown}; expected ${expected}` })
  }
}

/** A value of any kind as text for an error message. Never throws. */
export const showValue = (value: unknown): string => {
  try {
    if (Duration.isDuration(value)) return Duration.format(value)
    if (typeof value === "string") return JSON.stringify(value)
    if (typeof value !== "object" || value === null) return String(value)
    return JSON.stringify(value)
  } catch {
    return Object.prototype.toString.call(value)
  }
}
