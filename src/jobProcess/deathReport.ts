import { type Leftover, type PhaseReport, type ServiceReport, StopReport, type Trigger } from "../StopReport.ts"
import { type EventProjection, isPending, type KnownService, type ServiceHost } from "./eventProjection.ts"

/** How the process of a job ended before its job could report. */
export interface Death {
  readonly pid: number
  /** When the parent learned of it, in ISO 8601. */
  readonly at: string
  /** True if the process ended although nobody had asked it to. */
  readonly isLost: boolean
  /** The predicate of a sentence about the process. */
  readonly how: string
  /** True if nothing of it is left. */
  readonly gone: boolean
  /** How long the kill took, if the parent killed it. */
  readonly killMs: number | undefined
  /** Why the job was to stop, unless its events say so. */
  readonly trigger: Trigger
  readonly reason?: string | undefined
}

/** The report of a job whose process ended before the job could report: what its events say, and how the process died. */
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
  ...phases,
  ...(phase === undefined ? [] : [{ phase: phase.phase, durationMs: between(phase.at, at), timedOut: true }]),
  ...(killMs === undefined ? [] : [{ phase: "kill" as const, durationMs: killMs, timedOut: !gone }])
]

/** A service that lived in the process of the job, or in a host of it, was killed with the process. */
const lineOf = (
  name: string,
  { at, cleanupCalled, error, initialized, managed, releaseMs, startMs, state }: KnownService,
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
    dependsOn: [],
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

const between = (from: string, to: string): number => Math.max(0, Date.parse(to) - Date.parse(from))
