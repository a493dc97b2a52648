import type * as Clock from "effect/Clock"
import { isoNow } from "../base/clock.ts"
import { millis } from "../base/format.ts"
import { type ChildEnd, describeEnd } from "../process/childProcess.ts"
import type { Killed } from "../process/processGroup.ts"
import { deathReport } from "./deathReport.ts"
import type { EventProjection } from "./eventProjection.ts"
import { type JobEnd, kindOfEnd, withLeftovers } from "./jobEnd.ts"
import type { JobFamily } from "./jobFamily.ts"
import { type JobProcessState, killReasonOf, liveStateOf } from "./jobProcessState.ts"
import type { JobLimits } from "./nextKill.ts"
import { type Asked, isUrgent } from "./parentRequests.ts"
import type { Reported, StopRequest } from "./protocol.ts"

/** A job whose process has ended, and whose group was killed after it. */
export interface EndedJob {
  readonly end: ChildEnd
  /** The state that the job ended in. */
  readonly state: JobProcessState
  readonly killed: Killed
  /** True if nothing of the job was left when its process had ended. */
  readonly wasAlone: boolean
  readonly pid: number | undefined
  readonly family: JobFamily
  readonly projection: EventProjection
  readonly limits: JobLimits
  readonly clock: Clock.Clock
  /** The reason why the process was killed, if that is what it sent. */
  readonly flood: string | undefined
  /** Returns what the job is asked by now. */
  readonly asked: () => Asked
  /** Returns why the job has stopped. `how` is the predicate of a sentence about its process. */
  readonly stopReason: (how: string) => Pick<StopRequest, "trigger" | "reason">
  /** Prints a line for people. */
  readonly say: (line: string) => void
}

/** Ends what is left of a job, and tells how the job ended. */
export const endOf = async (job: EndedJob): Promise<JobEnd> => {
  const kind = kindOfEnd(job.end, job.state)
  switch (kind._tag) {
    case "NotStarted":
    case "EndedBySignal":
      return kind
    case "NotLoaded":
      return { ...kind, limitMs: job.limits.loadMs }
    case "Exited":
      return job.wasAlone
        ? { ...kind, hadLeftovers: false }
        : { ...kind, reported: await reportLeftovers(job, kind.reported), hadLeftovers: true }
    case "Died":
      return died(job)
  }
}

/** Names the services that have not stopped, in sentences with a verb. */
export const sayPending = ({ projection, say }: Pick<EndedJob, "projection" | "say">, verb: string): void => {
  for (const { name, state } of projection.pending) say(`  service ${name} ${verb} ${state}`)
}

/** Adds to a report that the job has left something behind. That was killed, because it must not outlive the job. */
const reportLeftovers = async (
  { family, killed: { how }, pid, say }: EndedJob,
  reported: Reported | undefined
): Promise<Reported | undefined> => {
  const rest = await family.endRest()
  const leftovers = rest.length > 0
    ? rest
    : [{ kind: "child-process", detail: `something of process group ${pid} was left, and was killed (${how})` }]
  const details = leftovers.map(({ detail }) => detail).join(", ")
  say(`The job did not end all that it had started: ${details}.`)
  return reported && { ...reported, report: withLeftovers(reported.report, leftovers) }
}

const died = async (job: EndedJob): Promise<JobEnd> => {
  const { asked, clock, end, family, flood, killed, limits, pid = 0, projection, say, state } = job
  const isKilled = killReasonOf(state) !== undefined
  const because = flood === undefined ? "" : `, because ${flood}`
  const how = isKilled ? `was killed (${killed.how}) in ${millis(killed.durationMs)}${because}` : describeEnd(end)
  const wasAsked = isKilled || asked()._tag === "Exit"
  if (!wasAsked) {
    say(`The process of the job ${how}.`)
    sayPending(job, "was")
  }
  const areHostsGone = await family.endHosts(projection.hostPids, {
    limitMs: wasAsked ? 0 : limits.deadlineMs,
    isUrgent: () => isUrgent(asked())
  })
  const rest = await family.endRest()
  const gone = [killed.gone, ...areHostsGone].every((gone) => gone)
  if (!gone) say("Something of it is left: it does not end when it is killed.")
  const last = liveStateOf(state)
  if (last._tag === "Reported") {
    const { exit, report } = last.reported
    const leftovers = [{ kind: "process", detail: `pid ${pid} ${how}` }, ...rest]
    return { _tag: "Died", how, report: withLeftovers(report, leftovers), exit }
  }
  const report = deathReport(projection, {
    pid,
    at: isoNow(clock),
    isLost: !wasAsked,
    how,
    gone,
    killMs: isKilled ? killed.durationMs : undefined,
    ...job.stopReason(how)
  })
  return { _tag: "Died", how, report: withLeftovers(report, rest), exit: undefined }
}
