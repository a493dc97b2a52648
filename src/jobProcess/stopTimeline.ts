/** The stop of a job as a picture at one moment, made of the events of the job alone. */
import type { StopMode } from "../JobEvent.ts"
import type { Phase, Trigger } from "../StopReport.ts"
import type { EventProjection } from "./eventProjection.ts"
import { isPending, type KnownService, limitOf } from "./knownParts.ts"

/** A time that has passed, and its limit if there is one, in milliseconds. */
export interface Passed {
  readonly elapsedMs: number
  readonly limitMs?: number
}

export interface TimelinePhase extends Passed {
  readonly phase: Phase
  readonly state: "underway" | "ended" | "timed-out"
}

export interface TimelineService extends Passed {
  readonly name: string
  /** `lost`: the job has stopped without an event about the end of this service; its report says what became of it. */
  readonly state: KnownService["state"] | "lost"
  /** True once its release has passed its limit, whatever its outcome is. */
  readonly isOverdue: boolean
  readonly dependsOn: ReadonlyArray<string>
}

/** A wait of the stop: for the run of the job, or for the release of a service. */
export interface Awaited extends Passed {
  /** The name of the service; `undefined` for the run. */
  readonly service: string | undefined
  /** The services that are released only after it: those that it depends on, also through others. */
  readonly holdsUp: ReadonlyArray<string>
}

export type StopTimeline =
  /** Nobody has asked the job to stop. */
  | { readonly _tag: "Running" }
  | {
    readonly _tag: "Stopping" | "Stopped"
    readonly trigger: Trigger
    /** The mode of the latest request. */
    readonly mode: StopMode
    readonly reason?: string
    /** The time since the first request, and the deadline of the whole stop. */
    readonly whole: Passed
    readonly phases: ReadonlyArray<TimelinePhase>
    readonly services: ReadonlyArray<TimelineService>
    /** The waits under way, the longest first; empty once the job has stopped. */
    readonly awaited: ReadonlyArray<Awaited>
  }

/** Returns the stop of a job at a time of the job's own clock, in milliseconds since 1970. No time is negative. */
export const stopTimeline = (job: EventProjection, nowMs: number): StopTimeline => {
  const { latestRequest, request, stoppedAt } = job
  if (request === undefined || latestRequest === undefined) return { _tag: "Running" }
  const hasStopped = stoppedAt !== undefined
  const at = hasStopped ? timeOf(stoppedAt, nowMs) : nowMs
  const { reason, trigger } = request
  return {
    _tag: hasStopped ? "Stopped" : "Stopping",
    trigger,
    mode: latestRequest.mode,
    ...(reason === undefined ? {} : { reason }),
    whole: {
      elapsedMs: since(request.at, at),
      ...(request.deadlineMs === undefined ? {} : limitOf({ limitMs: request.deadlineMs }))
    },
    phases: phasesOf(job, at, hasStopped),
    services: Array.from(job.services, ([name, service]) => serviceOf(name, service, at, hasStopped)),
    awaited: hasStopped ? [] : awaitedOf(job, at)
  }
}

/** A phase that had not ended when the job stopped was cut off: it has timed out, as the report of such a job says. */
const phasesOf = (
  { phase, phases }: EventProjection,
  at: number,
  hasStopped: boolean
): ReadonlyArray<TimelinePhase> => {
  const ended = phases.map((ended): TimelinePhase => ({
    phase: ended.phase,
    state: ended.timedOut ? "timed-out" : "ended",
    elapsedMs: Math.max(0, ended.durationMs),
    ...limitOf(ended)
  }))
  if (phase === undefined) return ended
  const state = hasStopped ? "timed-out" : "underway"
  return [...ended, { phase: phase.phase, state, elapsedMs: since(phase.at, at), ...limitOf(phase) }]
}

const serviceOf = (name: string, service: KnownService, at: number, hasStopped: boolean): TimelineService => ({
  name,
  state: hasStopped && isPending(service.state) ? "lost" : service.state,
  elapsedMs: releasedFor(service, at),
  isOverdue: service.isOverdue,
  dependsOn: service.dependsOn,
  ...limitOf(service)
})

const releasedFor = ({ at: from, releaseMs, state }: KnownService, at: number): number =>
  state === "releasing" ? since(from, at) : Math.max(0, releaseMs)

const awaitedOf = (job: EventProjection, at: number): ReadonlyArray<Awaited> => {
  const { phase, services } = job
  const releases = [...services].flatMap(([service, known]): ReadonlyArray<Awaited> =>
    isAwaited(known)
      ? [{ service, elapsedMs: releasedFor(known, at), ...limitOf(known), holdsUp: heldUpBy(service, services) }]
      : []
  ).toSorted((a, b) => b.elapsedMs - a.elapsedMs)
  const isOfRun = phase?.phase === "delay" || phase?.phase === "drain" || phase?.phase === "cancel"
  return isOfRun
    ? [{ service: undefined, elapsedMs: since(phase.at, at), ...limitOf(phase), holdsUp: [] }, ...releases]
    : releases
}

/** Nobody waits for an overdue service, unless it has a host: that is killed, and those beneath it wait until it is gone. */
const isAwaited = ({ host, isOverdue, state }: KnownService): boolean =>
  state === "releasing" && (!isOverdue || host !== undefined)

/** Returns the services that are not released before this one is, in the order in which it depends on them. */
const heldUpBy = (name: string, services: ReadonlyMap<string, KnownService>): ReadonlyArray<string> => {
  const seen = new Set([name])
  for (const above of seen) for (const beneath of services.get(above)?.dependsOn ?? []) seen.add(beneath)
  return [...seen].filter((other) => other !== name && isUntouched(services.get(other)))
}

const isUntouched = (service: KnownService | undefined): boolean =>
  service?.state === "running" || service?.state === "starting"

/** The times of events are texts, and may be none. */
const timeOf = (text: string, otherwise: number): number => {
  const ms = Date.parse(text)
  return Number.isNaN(ms) ? otherwise : ms
}

const since = (from: string, at: number): number => Math.max(0, at - timeOf(from, at))
