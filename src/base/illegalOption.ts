import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"

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

/** The error for an option that is wrong in the code itself: it is thrown where the option is written. */
export const illegalOption = (option: string, value: unknown, expected: string): Cause.IllegalArgumentError =>
  new Cause.IllegalArgumentError(`${option} is ${showValue(value)}; expected ${expected}`)
