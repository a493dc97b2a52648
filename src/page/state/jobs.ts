/** All jobs that this tab knows. */
import { signal } from "@preact/signals"
import type { Counts, JobInfo, Overview } from "../api/models.ts"
import { raising } from "./drawn.ts"

const known = new Map<string, JobInfo>()

/** The largest number of jobs that are kept; of more, those that stopped first are forgotten. */
const maxKept = 20_000

/** Changes with the jobs, at most ten times a second. */
export const jobsVersion = signal(0)
const changed = raising(jobsVersion)
export const counts = signal<Counts>({ queued: 0, starting: 0, running: 0, stopping: 0, stopped: 0 })
/** The state of the manager; `undefined` until its feed has begun. */
export const manager = signal<Omit<Overview, "jobs" | "counts"> | undefined>(undefined)

export const jobOf = (id: string): JobInfo | undefined => known.get(id)
export const allJobs = (): Iterable<JobInfo> => known.values()

export const takeOverview = ({ counts: all, jobs, shortened = false, ...rest }: Overview): void => {
  manager.value = rest
  counts.value = all
  const ids = new Set(jobs.map(({ id }) => id))
  for (const { id, state } of known.values()) {
    // a job that runs is in the overview, unless that leaves some out
    if (state !== "stopped" && !ids.has(id) && !shortened) known.delete(id)
  }
  for (const info of jobs) known.set(info.id, info)
  changed()
}

export const takeCounts = (all: Counts, ready: boolean): void => {
  counts.value = all
  const before = manager.peek()
  if (before !== undefined && before.ready !== ready) manager.value = { ...before, ready }
}

export const takeJob = (info: JobInfo): void => {
  known.set(info.id, info)
  if (known.size > maxKept) forgetStopped()
  changed()
}

/** Adds jobs that were read as a page of the list. */
export const takePage = (jobs: ReadonlyArray<JobInfo>): void => {
  for (const info of jobs) if (!known.has(info.id) || info.state === "stopped") known.set(info.id, info)
  changed()
}

export const dropJob = (id: string): void => {
  if (known.delete(id)) changed()
}

const forgetStopped = (): void => {
  let more = known.size - maxKept * 0.9
  for (const [id, { state }] of known) {
    if (more <= 0) return
    if (state === "stopped" && more-- > 0) known.delete(id)
  }
}
