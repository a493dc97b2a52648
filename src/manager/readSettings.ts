/** Reads numbers, sizes and durations of settings as their user wrote them. `name` is what the user calls the setting. */
import * as ByteSize from "effect/ByteSize"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { parseDuration } from "../base/durationInput.ts"
import { PolicyError } from "../internal/policy/policyError.ts"
import { isManagersOwn, isVariableName, variableForm } from "./jobVariables.ts"

const example = "such as \"500ms\", \"5s\" or \"2 minutes\""

/** Reads a limit of more than zero, in milliseconds; `Infinity` is no limit. */
export const readLimitMs = (name: string, input: unknown): Effect.Effect<number, PolicyError> => {
  const duration = parseDuration(input)
  return duration !== undefined && !Duration.isZero(duration)
    ? Effect.succeed(Duration.toMillis(duration))
    : Effect.fail(PolicyError.of(name, input, `a duration of more than zero, ${example}`))
}

/** Reads a duration that is finite and more than zero, in milliseconds. */
export const readMs = (name: string, input: unknown): Effect.Effect<number, PolicyError> => {
  const expected = `a duration of more than zero that is not infinite, ${example}`
  return Effect.filterOrFail(readLimitMs(name, input), Number.isFinite, () => PolicyError.of(name, input, expected))
}

/** Reads a size of more than zero, in bytes. */
export const readBytes = (name: string, input: ByteSize.Input): Effect.Effect<number, PolicyError> => {
  const bytes = Option.getOrElse(Option.flatMap(ByteSize.fromInput(input), ByteSize.toNumber), () => 0)
  return bytes > 0
    ? Effect.succeed(bytes)
    : Effect.fail(PolicyError.of(name, input, "a size of more than zero, such as \"512 MiB\" or \"2 GB\""))
}

export const readInt = (
  name: string,
  input: number,
  least = 1,
  most = Infinity
): Effect.Effect<number, PolicyError> => {
  if (Number.isSafeInteger(input) && input >= least && input <= most) return Effect.succeed(input)
  const range = most < Infinity ? ` from ${least} to ${most}` : least === -Infinity ? "" : ` of at least ${least}`
  return Effect.fail(PolicyError.of(name, input, `a whole number${range}`))
}

/** Reads a factor of growth. */
export const readFactor = (name: string, input: number): Effect.Effect<number, PolicyError> =>
  Number.isFinite(input) && input >= 1
    ? Effect.succeed(input)
    : Effect.fail(PolicyError.of(name, input, "a number of at least 1"))

/** Reads names of variables that jobs may have. */
export const readVariableNames = (
  name: string,
  input: ReadonlyArray<string>
): Effect.Effect<ReadonlyArray<string>, PolicyError> => {
  if (!Array.isArray(input)) return Effect.fail(PolicyError.of(name, input, "names of variables"))
  const wrong = input.find((one) => !isVariableName(one) || isManagersOwn(one))
  if (wrong === undefined) return Effect.succeed(input)
  const expected = isVariableName(wrong)
    ? "the name of a variable that is not the manager's own"
    : `the name of a variable: ${variableForm}`
  return Effect.fail(PolicyError.of(name, wrong, expected))
}
