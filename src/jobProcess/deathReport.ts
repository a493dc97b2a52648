import { type Leftover, type PhaseReport, type ServiceReport, StopReport, type Trigger } from "../StopReport.ts"
import type { EventProjection } from "./eventProjection.ts"
import { isPending, type KnownService, type ServiceHost } from "./knownParts.ts"

/** The end of the process of a job that had not reported yet. */
export interface Death {
  readonly pid: number
  /** The time at which the parent learned of it, in ISO 8601. */
  readonly at: string
  /** True if the process ended although nobody had asked it to. */
  readonly isLost: boolean
  /** The predicate of a sentence about the process. */
  readonly how: string
  /** True if nothing of it is left. */
  readonly gone: boolean
  /** The duration of the kill, if the parent killed the process. */
  readonly killMs: number | undefined
  /** The trigger of the stop, for a job whose events name none. */
  readonly trigger: Trigger
  readonly reason?: string | undefined
}

/**
 * Returns the report of a job whose process ended before the job could report. It is made of what the events of the job
 * say, and of how the process died.
 */
export const deathReport = (job: EventProjection, death: Death): StopReport => {
  const { reason, trigger } = job.request ?? death
  const leftovers: Array<Leftover> = [{ kind: "process", detail: `pid ${death.pid} ${death.how}` }]
  for (const [name, { state }] of job.services) {
    if (state === "starting") leftovers.push({ kind: "acquire", detail: name })
  }
  return StopReport.trusted({
    jobId: job.submitted.jobId,
    job: job.submitted.job,
    environment: job.environment,
    trigger,
    ...(reason === undefined ? {} : { reason }),
    outcome: job.outcome ?? (death.isLost || trigger === "failed" ? "failed" : "cancelled"),
    clean: false,
    startedAt: job.submitted.at,
    stoppedAt: death.at,
    phases: phasesOf(job, death),
    stages: job.stages,
    services: Array.from(job.services, ([name, service]) => lineOf(name, service, job.hostOf(name), death)),
    leftovers
  })
}

/** The phase that the death cut off has timed out; the kill is a phase of its own. */
const phasesOf = ({ phase, phases }: EventProjection, { at, gone, killMs }: Death): ReadonlyArray<PhaseReport> => [
  ...phases.map(({ durationMs, phase, timedOut }) => ({ phase, durationMs, timedOut })),
  ...(phase === undefined ? [] : [{ phase: phase.phase, durationMs: between(phase.at, at), timedOut: true }]),
  ...(killMs === undefined ? [] : [{ phase: "kill" as const, durationMs: killMs, timedOut: !gone }])
]

/** A service that lived in the process of the job, or in a host of it, was killed with the process. */
const lineOf = (
  name: string,
  { at, cleanupCalled, dependsOn, error, initialized, managed, releaseMs, startMs, state }: KnownService,
  host: ServiceHost | undefined,
  { at: diedAt, gone, killMs, pid }: Death
): ServiceReport => {
  const line = {
    name,
    host: "local",
    managed,
    initialized,
    cleanupCalled,
    startMs,
    dependsOn,
    ...host,
    ...(error === undefined ? {} : { error })
  }
  if (!isPending(state)) {
    return {
      ...line,
      cleanupCompleted: state === "released" || state === "timed-out",
      running: false,
      outcome: state,
      releaseMs
    }
  }
  return {
    ...line,
    cleanupCompleted: false,
    running: !gone,
    outcome: !initialized ? "start-failed" : gone ? "killed" : "abandoned",
    releaseMs: cleanupCalled ? between(at, diedAt) : 0,
    ...(host === undefined ? { pid } : {}),
    ...(killMs === undefined ? {} : { killMs })
  }
}

/** The times are texts of the job, and may be none. */
const between = (from: string, to: string): number => Math.max(0, Date.parse(to) - Date.parse(from)) || 0
