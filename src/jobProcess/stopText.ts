/** The words in which people are told what a stop waits for, in a terminal and on the page. */
import type { Awaited, Passed, TimelineService } from "./stopTimeline.ts"

/** The largest number of names in one line. */
const namedAtOnce = 5

/** Says whom the stop waits for, and which services that holds up. */
export const waitText = (awaited: Awaited): string =>
  `Waiting for ${awaited.service ?? "the run"}, ${passedText(awaited)}${heldText(awaited)}`

/** Says which services a wait holds up; the text continues a sentence. */
export const heldText = ({ holdsUp }: Awaited): string => holdsUp.length === 0 ? "" : `; holds up ${names(holdsUp)}`

const names = (all: ReadonlyArray<string>): string =>
  all.length <= namedAtOnce
    ? all.join(", ")
    : `${all.slice(0, namedAtOnce).join(", ")} and ${all.length - namedAtOnce} more`

/** Returns a time and its limit: `2.6 of 5 s`. */
export const passedText = ({ elapsedMs, limitMs }: Passed): string => {
  const elapsed = elapsedMs < 999.5 ? `${elapsedMs.toFixed(0)} ms` : `${tenths(elapsedMs)} s`
  if (limitMs === undefined) return elapsed
  const limit = limitMs < 999.5 ? `${limitMs.toFixed(0)} ms` : `${Number(tenths(limitMs))} s`
  // a unit that both have is said once
  return elapsed.slice(-2) === limit.slice(-2) ? `${elapsed.split(" ")[0]} of ${limit}` : `${elapsed} of ${limit}`
}

const tenths = (ms: number): string => (ms / 1_000).toFixed(1)

/** Returns the state of a service, and says if its release has passed its limit. */
export const serviceStateText = ({ isOverdue, state }: Pick<TimelineService, "isOverdue" | "state">): string =>
  isOverdue && state !== "timed-out" && state !== "abandoned" ? `${state}, overdue` : state
