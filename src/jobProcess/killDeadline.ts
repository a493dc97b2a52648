/** What a job may take beyond its deadline, to tell that it has stopped. */
const graceMs = 500
/** What the owner of a process takes for a stop without waiting. */
const atOnceMs = 2_000
/** For the last words of a job that is told to exit. */
const lastWordsMs = 250
/** How long a process whose job has stopped may be silent: it tells more often that it is still at work. */
const silenceMs = 3_000
/** What a process may take before it says the first thing, also on a busy machine. */
const bootMs = 30_000
/** What the load of a module may take beyond its limit: where its process can, it refuses it itself. */
const loadSlackMs = 2_000

/** The limits of a job in a process of its own; `Infinity` is no limit. */
export interface JobLimits {
  /** Until the job says its own, the one that is configured. */
  readonly deadlineMs: number
  /** The limit of the load of the module. */
  readonly loadMs: number
  /** When the job is to stop by itself. */
  readonly afterMs: number
}

/** When what is known of a job happened; `Infinity` where it has not. */
export interface Times {
  readonly spawned: number
  readonly submitted: number
  readonly stopping: number
  readonly reported: number
  /** When it last told anything. */
  readonly heard: number
  /** When it was asked to stop, */
  readonly asked: number
  /** to stop without waiting, */
  readonly askedAtOnce: number
  /** and to exit, whatever there is to stop. */
  readonly askedToExit: number
}

/** When the process of a job is killed unless something changes, and what for. */
export interface Due {
  readonly at: number
  readonly why: "load" | "deadline" | "after" | "asked" | "silence"
}

export const nextDue = (times: Times, { afterMs, deadlineMs, loadMs }: JobLimits): Due => {
  const asked: Due = { at: times.askedToExit + lastWordsMs, why: "asked" }
  if (times.reported !== Infinity) return earlier(asked, { at: times.heard + silenceMs, why: "silence" })
  const limitMs = deadlineMs + graceMs
  const stop = Math.min(Math.min(times.asked, times.stopping) + limitMs, times.askedAtOnce + atOnceMs + graceMs)
  const own: Due = times.submitted === Infinity
    ? { at: times.heard === Infinity ? times.spawned + bootMs : times.heard + loadMs + loadSlackMs, why: "load" }
    : { at: times.submitted + afterMs + limitMs, why: "after" }
  return earlier(asked, earlier({ at: stop, why: "deadline" }, own))
}

const earlier = (a: Due, b: Due): Due => a.at <= b.at ? a : b
