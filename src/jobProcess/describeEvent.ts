/** Events in words, for a terminal and for the page. */
import { millis, oneLine, printable } from "../base/format.ts"
import type { JobEvent } from "../JobEvent.ts"

const because = (text: string | undefined): string => text === undefined ? "" : `: ${text}`

export const cleanness = (clean: boolean): string => clean ? "clean" : "NOT CLEAN"

const hostOf = (event: { readonly service: string; readonly replica: number; readonly pid?: number }): string =>
  `the host of ${event.service} (${event.replica}${event.pid === undefined ? "" : `, pid ${event.pid}`})`

/** Returns an event in words, in one line. */
export const describeEvent = (event: JobEvent): string => printable(oneLine(words(event)))

/** A new kind of event does not compile until it has its words here. */
const words = (event: JobEvent): string => {
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
    case "ServiceOverdue":
      return `${event.service} has passed its limit of ${millis(event.limitMs)}`
    case "ServiceStopped":
      return `${event.service} ${event.outcome} after ${millis(event.releaseMs)}${because(event.error)}`
    case "JobRestarting": {
      const when = event.trigger === "stopped" ? "with the next job manager" : `in ${millis(event.delayMs)}`
      const why = because(event.reason)
      return `job ${event.outcome}, ${cleanness(event.clean)}${why}; it begins again ${when} (restart ${event.attempt})`
    }
    case "JobStopped":
      return `job ${event.outcome}, ${cleanness(event.clean)}`
  }
}
