/** When a job that has ended begins again. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Pull from "effect/Pull"
import * as Schedule from "effect/Schedule"
import * as restarts from "../../host/restartPolicy.ts"
import type { StopReport } from "../../StopReport.ts"
import type { WireRestart } from "../models.ts"

/** Whether it ended since it failed, or since it, its machine or its manager was lost; and not since it was asked to. */
export const hasFailed = ({ outcome, trigger }: StopReport): boolean =>
  outcome !== "succeeded" && (trigger === "failed" || trigger === "lost")

/** The delay until a job that fails now begins again, given when it did before; none where it does not any more. */
export const restartDelay = (
  restart: WireRestart,
  before: ReadonlyArray<number>,
  now: number
): Effect.Effect<number | undefined> =>
  Effect.gen(function*() {
    const step = yield* Schedule.toStep(scheduleOf(restart))
    for (const at of before) yield* step(at, undefined)
    const [, delay] = yield* step(now, undefined)
    return Duration.toMillis(delay)
  }).pipe(Pull.catchDone(() => Effect.succeed(undefined)))

const scheduleOf = (restart: WireRestart): Schedule.Schedule<unknown> => {
  switch (restart.policy) {
    case "fixed":
      return restarts.fixed({ delay: restart.delayMs, times: restart.times })
    case "exponential":
      return restarts.exponential({
        delay: restart.delayMs,
        factor: restart.factor,
        maxDelay: restart.maxDelayMs,
        times: restart.times
      })
    case "failure-rate":
      return restarts.failureRate({
        failures: restart.failures,
        interval: restart.intervalMs,
        delay: restart.delayMs
      })
  }
}
