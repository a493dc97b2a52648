/** Passes on what the process of a job sends and prints. */
import type { JobMessage } from "../../jobProcess/protocol.ts"
import type { SupervisedJob } from "../../jobProcess/supervisedJob.ts"
import type { JobProcessOptions, JobWatcher } from "../JobProcess.ts"
import { readOutput } from "./readOutput.ts"

/**
 * The time for reading the output of a process that has ended. A process that it has started may hold the output open.
 */
const outputMs = 2_000

/** Passes on a message, unless it is for the parent of the process alone. */
export const passOn = (
  message: JobMessage,
  { onCalls, onEvent, onSpans, onStages, onUsage }: Omit<JobWatcher, "onOutput">
): void => {
  switch (message._tag) {
    case "Stages":
      return onStages(message.stages)
    case "Spans":
      return onSpans?.(message.spans)
    case "Calls":
      return onCalls?.(message.counts)
    case "Usage":
      return onUsage?.(message)
    case "Limits":
    case "Reported":
    case "Alive":
    case "Idle":
      return
    default:
      onEvent(message)
  }
}

/** Passes on the output of a process. Returns a function that waits for the rest once the process has ended. */
export const passOnOutput = (
  { stderr, stdout }: SupervisedJob["output"],
  { onOutput }: Pick<JobProcessOptions, "onOutput">
): () => Promise<void> => {
  const all = Promise.all([
    stdout === undefined ? undefined : readOutput(stdout, (lines) => onOutput("stdout", lines)),
    stderr === undefined ? undefined : readOutput(stderr, (lines) => onOutput("stderr", lines))
  ])
  return async () => {
    const timer = setTimeout(() => {
      stdout?.destroy()
      stderr?.destroy()
    }, outputMs)
    await all
    clearTimeout(timer)
  }
}
