import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { parseDuration } from "../base/durationInput.ts"
import type { HostError } from "./hostError.ts"
import { illegalOption } from "../base/illegalOption.ts"

/**
 * Says when a host that died is replaced: any `Schedule`. A Schedule that ends makes the job fail.
 *
 * @see {@link restart} for the policies that most services need
 * @category restarting
 * @since 0.2.0
 */
export type RestartPolicy = Schedule.Schedule<unknown, HostError>

/** A policy that does not look at the error. */
type AnyError = Schedule.Schedule<unknown>

/**
 * Never replaces a host: the first one that dies makes the job fail.
 *
 * @category restarting
 * @since 0.1.0
 */
export const never: AnyError = Schedule.recurs(0)

/**
 * Replaces a host after the same `delay` each time, at most `times` times; without end by default.
 *
 * @category restarting
 * @since 0.1.0
 */
export const fixed = (options: {
  readonly delay: Duration.Input
  readonly times?: number | undefined
}): AnyError =>
  limited(Schedule.spaced(duration("Host.restart.fixed", "delay", options.delay)), "Host.restart.fixed", options.times)

/**
 * Replaces a host after a `delay` that is multiplied by `factor` (2 by default) each time, up to `maxDelay` (30 seconds
 * by default), at most `times` times; without end by default.
 *
 * @category restarting
 * @since 0.1.0
 */
export const exponential = (options: {
  readonly delay: Duration.Input
  readonly factor?: number | undefined
  readonly maxDelay?: Duration.Input | undefined
  readonly times?: number | undefined
}): AnyError => {
  const name = "Host.restart.exponential"
  const { factor = 2, maxDelay = "30 seconds" } = options
  if (!(Number.isFinite(factor) && factor > 0)) refuse(name, "factor", factor, "a number of more than zero")
  return limited(
    Schedule.min([
      Schedule.exponential(duration(name, "delay", options.delay), factor),
      Schedule.spaced(duration(name, "maxDelay", maxDelay))
    ]),
    name,
    options.times
  )
}

/**
 * Replaces a host after the same `delay`, until more than `failures` hosts have died within one `interval`.
 *
 * **Details**
 *
 * A failure counts for less than the interval: one that is exactly as old no longer does. The idea is the restart
 * intensity of OTP's supervisors.
 *
 * @category restarting
 * @since 0.1.0
 */
export const failureRate = (options: {
  readonly failures: number
  readonly interval: Duration.Input
  readonly delay: Duration.Input
}): AnyError => {
  const name = "Host.restart.failureRate"
  const failures = count(name, "failures", options.failures)
  const interval = Duration.toMillis(duration(name, "interval", options.interval))
  const delay = duration(name, "delay", options.delay)
  return Schedule.fromStep(Effect.sync(() => {
    let recent: Array<number> = []
    return (now: number) => {
      recent = [...recent.filter((at) => now - at < interval), now]
      return recent.length > failures ? Cause.done(recent.length) : Effect.succeed([recent.length, delay])
    }
  }))
}

const limited = (schedule: AnyError, name: string, times: number | undefined): AnyError =>
  times === undefined ? schedule : Schedule.upTo(schedule, { times: count(name, "times", times) })

const count = (name: string, option: string, value: number): number =>
  Number.isSafeInteger(value) && value >= 0 ? value : refuse(name, option, value, "a whole number that is not negative")

const duration = (name: string, option: string, value: Duration.Input): Duration.Duration =>
  parseDuration(value) ??
    refuse(name, option, value, "a duration that is not negative, such as \"500 millis\" or \"1 minute\"")

const refuse = (name: string, option: string, value: unknown, expected: string): never => {
  throw illegalOption(`${option} of ${name}`, value, expected)
}
