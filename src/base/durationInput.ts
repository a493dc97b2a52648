import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import { attempt } from "./valueText.ts"

const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const parts = new Set(["weeks", "days", "hours", "minutes", "seconds", "milliseconds", "microseconds", "nanoseconds"])

/** Reads Effect's own inputs and the short form of command lines. Returns undefined for anything else, and if it is negative. */
export const parseDuration = (input: unknown): Duration.Duration | undefined => attempt(() => parse(input))

const parse = (input: unknown): Duration.Duration | undefined => {
  switch (typeof input) {
    case "string":
      return parseText(input.trim())
    case "number":
      return Number.isNaN(input) ? undefined : nonNegative(input)
    case "bigint":
      return nonNegative(input)
    case "object":
      return isDurationObject(input) ? nonNegative(input) : undefined
    default:
      return undefined
  }
}

const parseText = (text: string): Duration.Duration | undefined => {
  const short = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text)
  if (short !== null) return Duration.millis(Number(short[1]) * (units[short[2] ?? "ms"] ?? 1))
  if (/^infinity$/i.test(text)) return Duration.infinity
  return text === "0" ? Duration.zero : nonNegative(text)
}

/** Returns true for a Duration, a pair of numbers, or an object of units: Effect takes any other object for zero. */
const isDurationObject = (input: object | null): boolean => {
  if (Duration.isDuration(input)) return true
  if (input === null) return false
  if (Array.isArray(input)) return input.length === 2 && input.every(Number.isFinite)
  const entries = Object.entries(input)
  return entries.length > 0 && entries.every(([part, value]) => parts.has(part) && Number.isFinite(value))
}

const nonNegative = (input: unknown): Duration.Duration | undefined => {
  // safe: `fromInput` checks its input at run time
  const parsed = Option.getOrUndefined(Duration.fromInput(input as Duration.Input))
  return parsed !== undefined && Duration.isGreaterThanOrEqualTo(parsed, Duration.zero) ? parsed : undefined
}
