import type { Asked, KillReason, LiveState } from "./jobProcessState.ts"

/** The time that a job has beyond its deadline to report that it has stopped. */
const graceMs = 500
/** The time that the owner of a process has for a stop without waiting. */
const stopAtOnceMs = 2_000
/** The time that a process has to exit after it was asked to, for its last output. */
const exitMs = 250
/** The time that a process may be silent after its report: it says more often that it is still at work. */
const silenceMs = 3_000
/** The time that a process has to send its first message, also on a busy machine. */
const bootMs = 30_000
/** The time that the load of a module has beyond its limit: a process that can, refuses the module itself. */
const loadGraceMs = 2_000

/** The limits of a job in a process of its own, in milliseconds; `Infinity` is no limit. */
export interface JobLimits {
  /** Until the job has set its own, the deadline that is configured. */
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

/** Returns when the process of a job is killed unless something changes, and why; `Infinity` is never. */
export const nextKill = (state: LiveState, asked: Asked | undefined, limits: JobLimits): Kill => {
  const exit: Kill = { at: (asked?.exitAt ?? Infinity) + exitMs, why: "exit" }
  if (state._tag === "Reported") return earlier(exit, { at: state.heardAt + silenceMs, why: "silence" })
  const stopMs = limits.deadlineMs + graceMs
  const asksToStop: Kill = {
    at: asked === undefined ? Infinity : Math.min(asked.stopAt + stopMs, asked.killAt + stopAtOnceMs + graceMs),
    why: "deadline"
  }
  return earlier(exit, earlier(asksToStop, ownLimit(state, limits, stopMs)))
}

/** The limit that follows from what the process does, whatever it was asked for. */
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
