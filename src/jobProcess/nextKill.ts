import type { KillReason, LiveState } from "./jobProcessState.ts"
import type { Asked } from "./parentRequests.ts"

/** The time that a job has beyond its deadline to report that it has stopped. */
const graceMs = 500
/** The time that the owner of a process has for a stop without waiting. */
const stopAtOnceMs = 2_000
/** The time that a process has to exit after it was asked to, for its last output. */
const exitMs = 250
/** The time that a process may be silent after its report. As long as it is at work, it says so more often. */
const silenceMs = 3_000
/** The time that a process has to send its first message, also on a busy machine. */
const bootMs = 30_000
/** The time that a process has beyond the limit of the load of its module, so that it can refuse the module itself. */
const loadGraceMs = 2_000

/** The limits of a job in a process of its own, in milliseconds; `Infinity` stands for no limit. */
export interface JobLimits {
  /** The configured deadline, until the job has set its own. */
  readonly deadlineMs: number
  /** The limit for the load of the module. */
  readonly loadMs: number
  /** The time after which the job stops by itself. */
  readonly afterMs: number
}

export interface Kill {
  readonly at: number
  readonly why: KillReason
}

/**
 * Returns when and why the process of a job is killed unless something changes; `at` is `Infinity` if that is never.
 */
export const nextKill = (state: LiveState, asked: Asked, limits: JobLimits): Kill => {
  const exit: Kill = { at: asked._tag === "Exit" ? asked.exitAt + exitMs : Infinity, why: "exit" }
  if (state._tag === "Reported") return earlier(exit, { at: state.heardAt + silenceMs, why: "silence" })
  const stopMs = limits.deadlineMs + graceMs
  const asksToStop: Kill = { at: askedLimit(asked, stopMs), why: "deadline" }
  return earlier(exit, earlier(asksToStop, ownLimit(state, limits, stopMs)))
}

/** Returns the time by which the job has to have stopped because it was asked to. */
const askedLimit = (asked: Asked, stopMs: number): number => {
  switch (asked._tag) {
    case "Nothing":
      return Infinity
    case "Stop":
      return asked.stopAt + stopMs
    case "StopAtOnce":
    case "Exit":
      return Math.min(asked.stopAt + stopMs, asked.killAt + stopAtOnceMs + graceMs)
  }
}

/** Returns the kill that follows from what the process does, whatever it was asked for. */
const ownLimit = (
  state: Exclude<LiveState, { readonly _tag: "Reported" }>,
  limits: JobLimits,
  stopMs: number
): Kill => {
  switch (state._tag) {
    case "Starting":
      return { at: state.since + bootMs, why: "load" }
    case "Loading":
      return { at: state.heardAt + limits.loadMs + loadGraceMs, why: "load" }
    case "Running":
      return { at: state.since + limits.afterMs + stopMs, why: "after" }
    case "Stopping":
      return earlier(
        { at: state.since + stopMs, why: "deadline" },
        { at: state.runningSince + limits.afterMs + stopMs, why: "after" }
      )
  }
}

const earlier = (a: Kill, b: Kill): Kill => a.at <= b.at ? a : b
