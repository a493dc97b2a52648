import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { JobRun } from "../../Environment.ts"
import { millis } from "../../base/format.ts"
import type { JobEvent } from "../../JobEvent.ts"
import { live } from "./liveView.ts"

/** Shows what happens to a job, until it has stopped: live on a terminal, a line for each event otherwise. */
export const follow = <A, E>(run: JobRun<A, E>, format: "pretty" | "json"): Effect.Effect<void> => {
  if (format === "pretty" && process.stderr.isTTY) return live(run)
  return Stream.runForEach(run.events, (event) => Effect.sync(() => print(event, format)))
}

/** Prints an event beside the report, which goes to stdout. */
export const print = (event: JobEvent, format: "pretty" | "json"): void =>
  void process.stderr.write(`${format === "json" ? JSON.stringify(event) : line(event)}\n`)

const line = (event: JobEvent): string => `${event.at.slice(11, 23)} ${describe(event)}`

const because = (text: string | undefined): string => text === undefined ? "" : `: ${text}`

const cleanness = ({ clean }: { readonly clean: boolean }): string => clean ? "clean" : "NOT CLEAN"

const hostOf = (event: { readonly service: string; readonly replica: number; readonly pid?: number }): string =>
  `the host of ${event.service} (${event.replica}${event.pid === undefined ? "" : `, pid ${event.pid}`})`

/** An event in words. Every kind of event is handled: a new one does not compile until it is. */
export const describe = (event: JobEvent): string => {
  switch (event._tag) {
    case "JobSubmitted":
      return `job ${event.job} (${event.jobId})`
    case "ServiceStarting":
      return `${event.service} starting`
    case "ServiceStarted":
      return `${event.service} started in ${millis(event.startMs)}`
    case "ServiceStartFailed":
      return `${event.service} could not start: ${event.error}`
    case "ServiceFailed":
      return `${event.service} failed: ${event.error}`
    case "HostStarted":
      return `${hostOf(event)} is up`
    case "HostUnresponsive":
      return `${hostOf(event)} does not answer: its event loop is blocked`
    case "HostResponsive":
      return `${hostOf(event)} answers again`
    case "HostLost":
      return event.error
    case "HostRestarting":
      return `${hostOf(event)} is replaced in ${millis(event.delayMs)} (attempt ${event.attempt})`
    case "HostKilled":
      return `${hostOf(event)} was killed (${event.how}) in ${millis(event.killMs)}`
    case "RunStarted":
      return "run started"
    case "RunEnded":
      return `run ${event.outcome}${because(event.error)}`
    case "StopRequested":
      return `stopping (${event.trigger}, ${event.mode})${because(event.reason)}`
    case "PhaseStarted":
      return `${event.phase} …`
    case "PhaseEnded":
      return `${event.phase} ${event.timedOut ? "timed out after" : "took"} ${millis(event.durationMs)}`
    case "ServiceReleasing":
      return `${event.service} releasing`
    case "ServiceStopped":
      return `${event.service} ${event.outcome} after ${millis(event.releaseMs)}${because(event.error)}`
    case "JobRestarting": {
      const when = event.trigger === "stopped" ? "with the next job manager" : `in ${millis(event.delayMs)}`
      return `job ${event.outcome}, ${cleanness(event)}${
        because(event.reason)
      }; it begins again ${when} (restart ${event.attempt})`
    }
    case "JobStopped":
      return `job ${event.outcome}, ${cleanness(event)}`
  }
}
