/**
 * Takes over the jobs of an earlier manager: reads their stored events, and waits for the processes that it had
 * started.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { isoNow } from "../../base/clock.ts"
import { deathReport } from "../../jobProcess/deathReport.ts"
import type { EventProjection } from "../../jobProcess/eventProjection.ts"
import { LatestAttempt } from "../../jobProcess/latestAttempt.ts"
import { leftBehindBy } from "../../process/ownedProcesses.ts"
import { isGroupAlive, until } from "../../process/processGroup.ts"
import { isLiving, readProcess } from "../../process/processTable.ts"
import { fallbackExit } from "../fallbackResult.ts"
import type { StoredJob } from "../JobStore.ts"
import type { JobInfo, JobResult, NumberedEvent } from "../models.ts"
import { readResultFile } from "../resultFile.ts"
import { countsAsFailure, type Past } from "./activeJob.ts"
import { type JobState, queued } from "./jobState.ts"

/** The time after which this manager no longer waits for the process of a lost job. */
const longestMs = 10 * 60_000

/** The time that processes which a lost job has left behind have to end at a SIGTERM. */
const politeMs = 1_000

/** The reason of the stop of a job that is stopped together with its manager. */
export const shutdownReason = "the job manager is being stopped"

/** A projection of the events of a job: those of its last attempt, and how often it failed before. */
export class StoredEvents implements Past {
  readonly failures: Array<number> = []
  seq = 0
  readonly #latest: LatestAttempt

  constructor({ info: { id, job, startedAt, submittedAt } }: StoredJob) {
    this.#latest = new LatestAttempt({ job, jobId: id, environment: "remote", startedAt: startedAt ?? submittedAt })
  }

  add({ event, seq }: NumberedEvent): void {
    this.seq = seq
    this.#latest.apply(event)
    if (event._tag === "JobRestarting" && countsAsFailure(event.trigger)) this.failures.push(Date.parse(event.at))
  }

  /** Returns what is known of the last attempt. */
  get attempt(): EventProjection {
    return this.#latest.projection
  }
}

/** Returns the state of a stored job that has not stopped. */
export const adoptedState = ({ info }: StoredJob, now: number): JobState => {
  const { id: _, job: __, priority: ___, submittedAt: ____, traceparent: _____, ...state } = info
  if (info.state === "queued") {
    return queued({
      restarts: info.restarts ?? 0,
      ...(info.restartsAt === undefined ? {} : { restartsAt: info.restartsAt })
    }, now)
  }
  const wasShuttingDown = info.reason === shutdownReason
  return {
    _tag: "Lost",
    info: state,
    stop: wasShuttingDown ? { by: "shutdown", command: { reason: shutdownReason } } : undefined
  }
}

/**
 * Waits for the process of a lost job, which stops by its own policy, ends what that has left behind, and returns the result
 * that it has written. If there is none, returns one that is made from the job's stored events.
 */
export const lostResult = (
  { id, pid, pidStart }: Pick<JobInfo, "id" | "pid" | "pidStart">,
  attempt: EventProjection,
  resultFile: string
): Effect.Effect<JobResult> =>
  Effect.gen(function*() {
    const gone = pid === undefined ||
      (yield* Effect.promise(() => endOf(pid, pidStart)))
    const written = readResultFile(resultFile)
    if (written !== undefined) return written
    const how = "ended while there was no job manager, and left no report"
    const report = deathReport(attempt, {
      pid: pid ?? 0,
      at: isoNow(yield* Clock.Clock),
      isLost: true,
      how,
      gone,
      killMs: undefined,
      trigger: "lost",
      reason: "the job manager was lost"
    })
    return { exit: fallbackExit("failed", `the process of job ${id} ${how}`), report }
  })

/** Waits until a process has ended, and ends what it has left behind: it was killed, or else it would have ended that. */
const endOf = async (pid: number, start: number | undefined): Promise<boolean> => {
  const isGone = () => isReused(pid, start) || !isGroupAlive(pid)
  const hasEnded = () => isGone() || (readProcess("self") !== undefined && !isLiving(readProcess(pid)))
  if (!(await until(hasEnded, longestMs))) return false
  // without its start, anything with its id could be another one's
  if (start !== undefined) await leftBehindBy({ pid, start }).end({ limitMs: politeMs })
  return until(isGone, longestMs)
}

/**
 * Returns true if the id belongs to a process that began at another time. Then the group that the former one led is gone, too:
 * the system gives no id away that a group still has.
 */
const isReused = (pid: number, start: number | undefined): boolean => {
  const now = readProcess(pid)
  return start !== undefined && now !== undefined && now.start !== start
}
