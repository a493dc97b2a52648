/** Encodes the run options of a submit, as their user wrote them, for a submission. */
import * as Effect from "effect/Effect"
import { PolicyError } from "../../internal/policy/policyError.ts"
import type { RestartSetting, Submission } from "../models.ts"
import { readBytes, readFactor, readInt, readLimitMs, readMs, readVariableNames } from "../readSettings.ts"
import type { Restart, RunOptions } from "../remoteOptions.ts"

type EncodedRunOptions = Pick<Submission, "priority" | "restart" | "memory" | "timeMs" | "env">

/**
 * Returns the fields of a submission. Fails with the first setting that cannot be used; `nameOf` returns what its user
 * calls it.
 */
export const encodeRunOptions = Effect.fnUntraced(function*(
  { env, memory, priority, restart = "never", timeLimit }: RunOptions,
  nameOf: (setting: string) => string = (setting) => setting
) {
  const again = yield* encodeRestart(restart, nameOf)
  const timeMs = timeLimit === undefined ? Infinity : yield* readLimitMs(nameOf("timeLimit"), timeLimit)
  const options: EncodedRunOptions = {
    ...(priority === undefined ? {} : { priority: yield* readInt(nameOf("priority"), priority, -Infinity) }),
    ...(again === undefined ? {} : { restart: again }),
    ...(memory === undefined ? {} : { memory: yield* readBytes(nameOf("memory"), memory) }),
    ...(timeMs === Infinity ? {} : { timeMs }),
    ...(env === undefined || env.length === 0 ? {} : { env: yield* readVariableNames(nameOf("env"), env) })
  }
  return options
})

const encodeRestart = Effect.fnUntraced(function*(
  restart: Restart,
  nameOf: (setting: string) => string
): Effect.fn.Return<RestartSetting | undefined, PolicyError> {
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
