import * as Cause from "effect/Cause"

/** An option that cannot be used, refused where it is written. */
export const illegalOption = (name: string, value: unknown, expected: string): Cause.IllegalArgumentError =>
  new Cause.IllegalArgumentError(`${name} is ${show(value)}; expected ${expected}`)

const show = (value: unknown): string => {
  if (typeof value !== "string" && (typeof value !== "object" || value === null)) return String(value)
  try {
    return JSON.stringify(value)
  } catch {
    return Object.prototype.toString.call(value)
  }
}
