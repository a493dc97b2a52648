import type * as Clock from "effect/Clock"
import type { Code, JobProcess, Launcher } from "../JobProcess.ts"
import { unknownVariable, variablesOf } from "../jobVariables.ts"
import type { ManagerOptions } from "../Manager.ts"
import type { ResultFiles } from "../resultFile.ts"
import type { ActiveJob } from "./activeJob.ts"
import type { StoreWriter } from "./storeWriter.ts"

export interface LaunchDependencies {
  readonly launcher: Launcher
  readonly options: Pick<ManagerOptions, "limits" | "variables">
  readonly writer: StoreWriter
  readonly clock: Clock.Clock
  readonly results: ResultFiles
}

/** Starts the process of a job that has a slot, and records what the process reports. */
export const launchAttempt = (
  job: ActiveJob,
  code: Code,
  { clock, launcher, options: { limits, variables }, results, writer }: LaunchDependencies
): JobProcess => {
  const { id, submission } = job
  const now = (): string => new Date(clock.currentTimeMillisUnsafe()).toISOString()
  const attempt = (job.info.restarts ?? 0) + 1
  results.remove(id)
  // another manager may have others than the one that took the submit
  const fault = unknownVariable(variables, submission.env)
  if (fault !== undefined) throw new Error(fault)
  const process = launcher.start({
    id,
    submission,
    code,
    limits: {
      ...limits,
      memory: lower(submission.memory, limits.memory),
      timeMs: lower(submission.timeMs, limits.timeMs)
    },
    env: variablesOf(variables, submission.env),
    resultFile: results.of(id),
    onEvent: (event) => {
      const unsaved = job.report(event)
      if (unsaved !== undefined) writer.record(job, unsaved)
    },
    onStages: (stages) => void (job.stages = stages),
    trace: job.observer.trace(attempt),
    onCalls: job.observer.calls,
    onUsage: (usage) => job.used(usage, clock.currentTimeMillisUnsafe()),
    onSpans: job.observer.spans,
    onOutput: (stream, lines) => {
      const at = now()
      job.observer.output(stream, lines, at, attempt)
      return job.log.add(stream, lines, at)
    }
  })
  // the stop may have been requested before there was a process
  const stop = job.state._tag === "Launching" ? job.state.stop : undefined
  writer.record(job, job.start(process, now()))
  if (stop !== undefined) process.stop(stop.command)
  return process
}

const lower = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined ? a ?? b : Math.min(a, b)
