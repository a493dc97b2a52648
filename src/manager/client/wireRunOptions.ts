/** How a job is to be run, as its user wrote it, made what is sent. */
import * as ByteSize from "effect/ByteSize"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { parseDuration } from "../../base/durationInput.ts"
import { PolicyError } from "../../internal/policy/policyError.ts"
import type { Restart, RunOptions } from "../../RemoteEnvironment.ts"
import type { Submission, WireRestart } from "../models.ts"

type WireOptions = Pick<Submission, "priority" | "restart" | "memory" | "timeMs">

/** Fails with the first setting that is wrong. `nameOf` is what its user calls it. */
export const wireRunOptions = Effect.fnUntraced(function*(
  { memory, priority, restart = "never", timeLimit }: RunOptions,
  nameOf: (setting: string) => string = (setting) => setting
) {
  const again = yield* wireRestart(restart, nameOf)
  const options: WireOptions = {
    ...(priority === undefined ? {} : { priority: yield* readInt(nameOf("priority"), priority, -Infinity) }),
    ...(again === undefined ? {} : { restart: again }),
    ...(memory === undefined ? {} : { memory: yield* readBytes(nameOf("memory"), memory) }),
    ...(timeLimit === undefined ? {} : { timeMs: yield* readMs(nameOf("timeLimit"), timeLimit) })
  }
  return options
})

const wireRestart = Effect.fnUntraced(function*(
  restart: Restart,
  nameOf: (setting: string) => string
): Effect.fn.Return<WireRestart | undefined, PolicyError> {
  const given: Restart = typeof restart === "string" ? { policy: restart } : restart
  const { delay = "1 second", factor, failures = 3, interval = "1 minute", maxDelay, policy, times } = given
  if (policy === "never") return undefined
  const delayMs = yield* readMs(nameOf("restart.delay"), delay)
  const limit = times === undefined ? {} : { times: yield* readInt(nameOf("restart.times"), times) }
  switch (policy) {
    case "fixed":
      return { policy, delayMs, ...limit }
    case "exponential":
      return {
        policy,
        delayMs,
        ...limit,
        ...(factor === undefined ? {} : { factor: yield* readFactor(nameOf("restart.factor"), factor) }),
        ...(maxDelay === undefined ? {} : { maxDelayMs: yield* readMs(nameOf("restart.maxDelay"), maxDelay) })
      }
    case "failure-rate":
      return {
        policy,
        delayMs,
        failures: yield* readInt(nameOf("restart.failures"), failures),
        intervalMs: yield* readMs(nameOf("restart.interval"), interval)
      }
    default:
      return yield* Effect.fail(
        PolicyError.of(nameOf("restart"), policy, "one of never, fixed, exponential, failure-rate")
      )
  }
})

/** Reads a duration that ends, and is not over at once. */
export const readMs = (name: string, input: unknown): Effect.Effect<number, PolicyError> => {
  const duration = parseDuration(input)
  return duration !== undefined && Duration.isFinite(duration) && !Duration.isZero(duration)
    ? Effect.succeed(Duration.toMillis(duration))
    : Effect.fail(
      PolicyError.of(name, input, "a duration of more than zero, such as \"500ms\", \"5s\" or \"2 minutes\"")
    )
}

/** Reads a size of memory, or of what is kept. */
export const readBytes = (name: string, input: ByteSize.Input): Effect.Effect<number, PolicyError> => {
  const bytes = Option.getOrElse(Option.flatMap(ByteSize.fromInput(input), ByteSize.toNumber), () => 0)
  return bytes > 0
    ? Effect.succeed(bytes)
    : Effect.fail(PolicyError.of(name, input, "a size of more than zero, such as \"512 MiB\" or \"2 GB\""))
}

export const readInt = (name: string, input: number, least = 1): Effect.Effect<number, PolicyError> =>
  Number.isSafeInteger(input) && input >= least
    ? Effect.succeed(input)
    : Effect.fail(PolicyError.of(name, input, least === 1 ? "a whole number of at least 1" : "a whole number"))

const readFactor = (name: string, input: number): Effect.Effect<number, PolicyError> =>
  Number.isFinite(input) && input >= 1
    ? Effect.succeed(input)
    : Effect.fail(PolicyError.of(name, input, "a number of at least 1"))
