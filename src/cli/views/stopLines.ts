/** The stop of a job, as lines of text for a terminal. */
import { plural, table, whole } from "../../base/format.ts"
import type { Awaited, Passed, StopTimeline, TimelineService } from "../../jobProcess/stopTimeline.ts"

type Stop = Exclude<StopTimeline, { readonly _tag: "Running" }>

/** The largest number of services that have a line each; of more, the others are counted. */
const listed = 20
/** The largest number of waits that have a line each. */
const listedWaits = 3
/** The largest number of names in one line. */
const namedAtOnce = 5
const barWidth = 10

/**
 * Returns the lines of a stop: whom it waits for, its phases, its services. `rows` is the number of lines that there is room
 * for.
 */
export const stopLines = (stop: Stop, rows = Infinity): ReadonlyArray<string> => {
  const waits = waitLines(stop.awaited)
  const head = [headLine(stop), ...waits]
  const phases = stop.phases.map((phase) => [phase.phase, bar(phase), phase.state, passedText(phase)])
  const room = Math.min(listed, Math.max(0, rows - head.length - phases.length - 1))
  const { others, shown } = choose(stop.services, room)
  const services = shown.map((service) => [service.name, bar(service), stateText(service), timeText(service)])
  return [
    ...head,
    ...table([...phases, ...services]),
    ...(others.length === 0 ? [] : [`and ${plural(others.length, "more service")}: ${countsText(others)}`])
  ]
}

const headLine = ({ _tag, mode, reason, trigger, whole }: Stop): string =>
  `${_tag === "Stopped" ? "Stopped" : "Stopping"} (${trigger}, ${mode})${reason === undefined ? "" : `: ${reason}`}; ` +
  passedText(whole)

/** Says whom the stop waits for, and which services that holds up. */
export const waitText = (awaited: Awaited): string => {
  const held = awaited.holdsUp.length === 0 ? "" : `; holds up ${names(awaited.holdsUp)}`
  return `Waiting for ${awaited.service ?? "the run"}, ${passedText(awaited)}${held}`
}

const waitLines = (awaited: ReadonlyArray<Awaited>): ReadonlyArray<string> => {
  const more = awaited.slice(listedWaits)
  return [
    ...awaited.slice(0, listedWaits).map(waitText),
    ...(more.length === 0 ? [] : [`and for ${plural(more.length, "more service")}`])
  ]
}

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

/** Shows the part of a limit that has passed. What has no limit has no bar, and what is beyond it ends in `!`. */
const bar = ({ elapsedMs, limitMs }: Passed): string => {
  if (limitMs === undefined) return ""
  const part = limitMs === 0 ? 1 : Math.min(1, elapsedMs / limitMs)
  const filled = Math.floor(part * barWidth)
  return `${"█".repeat(filled)}${"░".repeat(barWidth - filled)}${elapsedMs > limitMs ? "!" : " "}`
}

const stateText = ({ isOverdue, state }: TimelineService): string =>
  isOverdue && state !== "timed-out" && state !== "abandoned" ? `${state}, overdue` : state

/** A service that is not being released yet has no time. */
const timeText = (service: TimelineService): string =>
  service.state === "starting" || service.state === "running" ? "" : passedText(service)

/** The services that are shown first have the lowest number. */
const urgency = ({ isOverdue, state }: TimelineService): number => {
  if (isOverdue) return 0
  return state === "releasing" ? 1 : 2
}

/** Chooses the services that have a line: the overdue, those under way, then the slowest. They stay in their order. */
const choose = (services: ReadonlyArray<TimelineService>, room: number) => {
  if (services.length <= room) return { shown: services, others: [] }
  const first = services.toSorted((a, b) => urgency(a) - urgency(b) || b.elapsedMs - a.elapsedMs)
  const chosen = new Set(first.slice(0, room))
  return {
    shown: services.filter((service) => chosen.has(service)),
    others: services.filter((service) => !chosen.has(service))
  }
}

const countsText = (services: ReadonlyArray<TimelineService>): string =>
  [...Map.groupBy(services, ({ state }) => state)].map(([state, all]) => `${whole(all.length)} ${state}`).join(", ")
