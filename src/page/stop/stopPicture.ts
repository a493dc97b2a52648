/** The stop of a job as a picture: what lies where on the line of its time. A pure fold of the events of the job. */
import type { EventProjection } from "../../jobProcess/eventProjection.ts"
import type { StopTimeline, TimelinePhase, TimelineService } from "../../jobProcess/stopTimeline.ts"

export type Stop = Exclude<StopTimeline, { readonly _tag: "Running" }>

/** A length on the line: milliseconds since the stop was requested. */
export interface Extent {
  readonly fromMs: number
  readonly toMs: number
}

export interface PictureService extends TimelineService {
  /** Its release; absent before that has begun. */
  readonly release?: Extent
}

export interface PicturePhase extends TimelinePhase, Extent {}

/** How many of the services that have no bar of their own took how long. */
export interface Bin {
  readonly belowMs: number
  readonly count: number
}

export interface StopPicture {
  /** The length of the whole line. */
  readonly spanMs: number
  readonly phases: ReadonlyArray<PicturePhase>
  readonly services: ReadonlyArray<PictureService>
  readonly others: ReadonlyArray<TimelineService>
  readonly bins: ReadonlyArray<Bin>
}

/** With more services than this, only some have a bar. */
export const mostBars = 50
const slowest = 30

export const stopPicture = (stop: Stop, job: EventProjection): StopPicture => {
  const begun = timeOf(job.request?.at)
  const phases = phasesOf(stop, job, begun)
  // services are known in the order of their start, and released the other way round
  const { others, shown } = chosen(stop.services.toReversed())
  const services = shown.map((service) => placed(service, job, begun, stop.whole.elapsedMs))
  const ends = [...phases, ...services.flatMap(({ release }) => release ?? [])].map(({ toMs }) => toMs)
  // a limit that lies beyond what has happened is seen, unless it is so far away that nothing else would be
  const seen = Math.max(stop.whole.elapsedMs, ...ends, 1)
  const limits = [stop.whole.limitMs ?? 0, ...services.map(limitEnd)].filter((ms) => ms <= Math.max(4 * seen, 30_000))
  return { spanMs: Math.max(seen, ...limits) * 1.04, phases, services, others, bins: binsOf(others) }
}

const limitEnd = ({ limitMs, release }: PictureService): number => (release?.fromMs ?? 0) + (limitMs ?? 0)

/** Phases follow each other; the one under way tells itself when it began. */
const phasesOf = ({ phases }: Stop, { phase }: EventProjection, begun: number): ReadonlyArray<PicturePhase> => {
  let at = 0
  return phases.map((known) => {
    const isLast = phase !== undefined && phase.phase === known.phase && known === phases.at(-1)
    const fromMs = isLast ? Math.max(at, timeOf(phase.at) - begun) : at
    at = fromMs + known.elapsedMs
    return { ...known, fromMs, toMs: at }
  })
}

const placed = (service: TimelineService, job: EventProjection, begun: number, elapsedMs: number): PictureService => {
  const known = job.services.get(service.name)
  if (known === undefined || !known.cleanupCalled) return service
  const changed = Math.max(0, timeOf(known.at) - begun)
  const isUnderWay = known.state === "releasing"
  const fromMs = isUnderWay ? changed : Math.max(0, changed - service.elapsedMs)
  return {
    ...service,
    release: { fromMs, toMs: isUnderWay ? Math.max(fromMs, elapsedMs) : fromMs + service.elapsedMs }
  }
}

/** Chooses the services that have a bar: the overdue, those under way, and the slowest. They stay in their order. */
const chosen = (services: ReadonlyArray<TimelineService>) => {
  if (services.length <= mostBars) return { shown: services, others: [] }
  const isUrgent = ({ isOverdue, state }: TimelineService) => isOverdue || state === "releasing"
  const rest = services.filter((service) => !isUrgent(service))
  const picked = new Set([
    ...services.filter(isUrgent),
    ...rest.toSorted((a, b) => b.elapsedMs - a.elapsedMs).slice(0, slowest)
  ])
  return {
    shown: services.filter((service) => picked.has(service)),
    others: services.filter((service) => !picked.has(service))
  }
}

/** Bins grow by a factor of about three, because releases take a millisecond or seconds. */
const binsOf = (services: ReadonlyArray<TimelineService>): ReadonlyArray<Bin> => {
  if (services.length === 0) return []
  const edges = [1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000, Infinity]
  const bins = edges.map((belowMs, index) => ({
    belowMs,
    count: services.filter(({ elapsedMs }) => elapsedMs < belowMs && elapsedMs >= (edges[index - 1] ?? -1)).length
  }))
  return bins.slice(0, 1 + bins.findLastIndex(({ count }) => count > 0))
}

const timeOf = (at: string | undefined): number => {
  const ms = Date.parse(at ?? "")
  return Number.isNaN(ms) ? 0 : ms
}
