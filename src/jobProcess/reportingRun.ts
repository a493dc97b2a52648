/** Sends the parent of a job process what happens in the run of the job. */
import type { Run, RunResult } from "../internal/run/run.ts"
import { type ParentLink, sendToParent } from "../process/parentLink.ts"
import { startInterval } from "../process/timers.ts"
import { watchUsage } from "./processUsage.ts"
import type { JobMessage, ParentMessage, Reported } from "./protocol.ts"

/**
 * The interval at which the process says, after its report, that it is still at work: its output may have a slow
 * reader.
 */
const aliveMs = 500
/** The interval at which the counters of the pipelines are sent while they change. */
const stagesMs = 250
/** The interval at which they are sent while nothing but the times of stages changes. */
const timesMs = 2_000

export const send = (message: JobMessage): void => sendToParent(message)

/**
 * Sends the report, which is the last that a job has to say, and then that its process is still at work: it may take a while to
 * end. Returns a function that ends that.
 */
export const sendReport = (reported: Reported): () => void => {
  send(reported)
  return startInterval(aliveMs, () => send({ _tag: "Alive" }))
}

/** Sends everything that happens in a run. Calls back with its result in the very turn in which it has stopped. */
export const reportRun = (
  link: ParentLink<ParentMessage>,
  run: Run,
  onStopped: (result: RunResult) => void
): void => {
  const { deadline } = run.options.limits
  link.outlive(deadline)
  send({ _tag: "Limits", deadlineMs: deadline })
  run.events.listen(send)
  run.stages.measureTimes()
  const sendStages = stagesSender(run)
  const endUsage = watchUsage(send)
  const stop = startInterval(stagesMs, () => sendStages())
  run.stopped.onOpen(() => {
    stop()
    endUsage()
    sendStages({ isLast: true })
    if (run.result !== undefined) onStopped(run.result)
  })
}

/** Sends the counters of a run if they have changed. A stage that waits has new times each time, and nothing else. */
const stagesSender = (run: Run): (options?: { readonly isLast: boolean }) => void => {
  let sent = "[]"
  let unsent = 0
  return ({ isLast } = { isLast: false }) => {
    run.stages.settleTimes()
    const stages = run.stages.report()
    if (stages.length === 0) return
    const text = JSON.stringify(
      stages,
      (key, value: unknown) => key === "timeMs" || key === "p95Ms" ? undefined : value
    )
    if (text === sent && !isLast && ++unsent * stagesMs < timesMs) return
    sent = text
    unsent = 0
    send({ _tag: "Stages", stages })
  }
}
