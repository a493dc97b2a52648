/** The stop of a job, as lines of text for a terminal. */
import { plural, table, whole } from "../../base/format.ts"
import { passedText, serviceStateText, waitText } from "../../jobProcess/stopText.ts"
import type { Awaited, Passed, StopTimeline, TimelineService } from "../../jobProcess/stopTimeline.ts"

type Stop = Exclude<StopTimeline, { readonly _tag: "Running" }>

/** The largest number of services that have a line each; of more, the others are counted. */
const listed = 20
/** The largest number of waits that have a line each. */
const listedWaits = 3
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
  const services = shown.map((service) => [service.name, bar(service), serviceStateText(service), timeText(service)])
  return [
    ...head,
    ...table([...phases, ...services]),
    ...(others.length === 0 ? [] : [`and ${plural(others.length, "more service")}: ${countsText(others)}`])
  ]
}

const headLine = ({ _tag, mode, reason, trigger, whole }: Stop): string =>
  `${_tag === "Stopped" ? "Stopped" : "Stopping"} (${trigger}, ${mode})${reason === undefined ? "" : `: ${reason}`}; ` +
  passedText(whole)

const waitLines = (awaited: ReadonlyArray<Awaited>): ReadonlyArray<string> => {
  const more = awaited.slice(listedWaits)
  return [
    ...awaited.slice(0, listedWaits).map(waitText),
    ...(more.length === 0 ? [] : [`and for ${plural(more.length, "more service")}`])
  ]
}

/** Shows the part of a limit that has passed. What has no limit has no bar, and what is beyond it ends in `!`. */
const bar = ({ elapsedMs, limitMs }: Passed): string => {
  if (limitMs === undefined) return ""
  const part = limitMs === 0 ? 1 : Math.min(1, elapsedMs / limitMs)
  const filled = Math.floor(part * barWidth)
  return `${"█".repeat(filled)}${"░".repeat(barWidth - filled)}${elapsedMs > limitMs ? "!" : " "}`
}

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
