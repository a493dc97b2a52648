import * as Cause from "effect/Cause"
import { valueText } from "./valueText.ts"

/** The length of the longest value in a message, in characters. */
const maxShown = 1_024

/** A value of any kind as text for an error message. Never throws. */
export const showValue = (value: unknown): string => valueText(value, maxShown)

/** The error for an option that is wrong in the code itself: it is thrown where the option is written. */
export const illegalOption = (option: string, value: unknown, expected: string): Cause.IllegalArgumentError =>
  new Cause.IllegalArgumentError(`${option} is ${showValue(value)}; expected ${expected}`)
