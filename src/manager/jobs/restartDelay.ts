/** Decides whether and when a job that has ended is restarted. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Pull from "effect/Pull"
import * as Schedule from "effect/Schedule"
import * as restarts from "../../host/restartPolicy.ts"
import type { StopReport } from "../../StopReport.ts"
import type { RestartSetting } from "../models.ts"
import type { StateOf } from "./jobState.ts"

/** Returns true if the job failed, or was lost with its process, machine or manager; false if it was asked to stop. */
export const hasFailed = ({ outcome, trigger }: StopReport): boolean =>
  outcome !== "succeeded" && (trigger === "failed" || trigger === "lost")

/** Returns the delay of the restart after a failure at `now`, or `undefined` if the policy allows no more restarts. */
export const restartDelay = (
  restart: RestartSetting,
  earlierFailures: ReadonlyArray<number>,
  now: number
): Effect.Effect<number | undefined> =>
  Effect.gen(function*() {
    const step = yield* Schedule.toStep(scheduleOf(restart))
    for (const at of earlierFailures) yield* step(at, undefined)
    const [, delay] = yield* step(now, undefined)
    return Duration.toMillis(delay)
  }).pipe(Pull.catchDone(() => Effect.succeed(undefined)))

/**
 * Returns the delay of the restart of a job that has ended, or `undefined` if it has stopped for good. `failureDelayMs` is
 * the delay that its policy has for a failure.
 */
export const nextDelay = (
  { result: { report }, stop }: StateOf<"Ending">,
  restart: RestartSetting | undefined,
  failureDelayMs: number | undefined
): number | undefined => {
  if (restart === undefined || stop?.by === "client") return undefined
  if (stop?.by === "shutdown") return report.outcome === "succeeded" ? undefined : 0
  return hasFailed(report) ? failureDelayMs : undefined
}

const scheduleOf = (restart: RestartSetting): Schedule.Schedule<unknown> => {
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
