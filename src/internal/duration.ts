import * as Duration from "effect/Duration"
import * as Option from "effect/Option"

const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }

/** Reads Effect's own inputs and the short form of command lines; `undefined` for what is no duration or is negative. */
export const parseDuration = (input: unknown): Duration.Duration | undefined => {
  if (typeof input === "number" && Number.isNaN(input)) return undefined
  if (typeof input === "string") {
    const text = input.trim()
    const short = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text)
    if (short !== null) return Duration.millis(Number(short[1]) * (units[short[2] ?? "ms"] ?? 1))
    if (/^infinity$/i.test(text)) return Duration.infinity
    if (text === "0") return Duration.zero
    return nonNegative(text)
  }
  return typeof input === "number" || typeof input === "bigint" || typeof input === "object"
    ? nonNegative(input)
    : undefined
}

const nonNegative = (input: unknown): Duration.Duration | undefined => {
  // `fromInput` checks at run time whatever it is given
  const parsed = Option.getOrUndefined(Duration.fromInput(input as Duration.Input))
  return parsed !== undefined && Duration.isGreaterThanOrEqualTo(parsed, Duration.zero) ? parsed : undefined
}
