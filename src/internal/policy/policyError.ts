import * as Schema from "effect/Schema"
import { showValue } from "../../base/illegalOption.ts"

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
