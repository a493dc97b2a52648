import type { JobRun } from "../Environment.ts"
import type { Run } from "./run.ts"

const runs = new WeakMap<object, Run>()

/** Remembers what stands behind a `JobRun` that runs in this process. */
export const remember = <R extends object>(jobRun: R, run: Run): R => {
  runs.set(jobRun, run)
  return jobRun
}

/** What stands behind a `JobRun`, where it runs in this process: for a live view of its counters. */
export const runOf = (jobRun: JobRun<unknown, unknown>): Run | undefined => runs.get(jobRun)
