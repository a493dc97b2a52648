import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"

/** Whatever the failure is. */
type Restart = Schedule.Schedule<unknown>

/** Not at all: the first host that dies makes the job fail. */
export const never: Restart = Schedule.recurs(0)

/** After the same delay each time, `times` times in all; without end by default. */
export const fixed = (options: { readonly delay: Duration.Input; readonly times?: number | undefined }): Restart =>
  limited(Schedule.spaced(options.delay), options.times)

/** After a delay that doubles (or grows by `factor`) each time up to `maxDelay`, 30 seconds by default. */
export const exponential = (options: {
  readonly delay: Duration.Input
  readonly factor?: number | undefined
  readonly maxDelay?: Duration.Input | undefined
  readonly times?: number | undefined
}): Restart =>
  limited(
    Schedule.min([
      Schedule.exponential(options.delay, options.factor),
      Schedule.spaced(options.maxDelay ?? "30 seconds")
    ]),
    options.times
  )

/** After the same delay, until there are more than `failures` within one `interval`. The idea is OTP's restart intensity. */
export const failureRate = (options: {
  readonly failures: number
  readonly interval: Duration.Input
  readonly delay: Duration.Input
}): Restart => {
  const interval = Duration.toMillis(options.interval)
  const delay = Duration.fromInputUnsafe(options.delay)
  return Schedule.fromStep(Effect.sync(() => {
    let recent: Array<number> = []
    return (now: number) => {
      recent = [...recent.filter((at) => now - at < interval), now]
      return recent.length > options.failures ? Cause.done(recent.length) : Effect.succeed([recent.length, delay])
    }
  }))
}

const limited = (schedule: Schedule.Schedule<unknown>, times: number | undefined): Restart =>
  times === undefined ? schedule : Schedule.upTo(schedule, { times })
