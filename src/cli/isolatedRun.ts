import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { isoNow } from "../base/clock.ts"
import { seconds } from "../base/format.ts"
import type { JobLimits } from "../jobProcess/nextKill.ts"
import type { JobEnd } from "../jobProcess/jobEnd.ts"
import type { JobMessage } from "../jobProcess/protocol.ts"
import { SupervisedJob } from "../jobProcess/supervisedJob.ts"
import { ChildProcess } from "../process/childProcess.ts"
import { entryPoint } from "../process/entryPoints.ts"
import { exitCode } from "../process/exitCode.ts"
import type { ProcessOwner } from "../process/processOwner.ts"
import type { Signal } from "../process/signals.ts"
import type { StopReport } from "../StopReport.ts"
import { Refusal } from "./refusal.ts"

/** The time that a job has to answer a signal before people read that it does not. */
const answerMs = 1_000

const isolatedMain = entryPoint(import.meta.url, "./isolatedMain")

export interface IsolateOptions {
  readonly owner: ProcessOwner
  /** The command line of the job. */
  readonly args: ReadonlyArray<string>
  readonly module: string
  readonly limits: JobLimits
  /** Shows the job. Without one, the job prints to the streams of this process. */
  readonly viewer?: JobViewer
}

export interface JobViewer {
  readonly onMessage: (job: SupervisedJob, message: JobMessage) => void
  /** Waits until the process of the job has ended, and all of its output is shown. */
  readonly follow: (job: SupervisedJob) => Effect.Effect<JobEnd>
}

export interface Ending {
  readonly code: number
  /** The report of the job; `undefined` if nothing was started. */
  readonly report: StopReport | undefined
  /** Prints the result of the job, if it ran in this process. */
  readonly showResult?: Effect.Effect<void>
  /** Lets people look at the end of the job. */
  readonly lastLook?: Effect.Effect<void>
}

/**
 * Runs a job in a process of its own, so that its deadline holds even if the event loop of that process is blocked. The
 * signals of this process are passed on to the job.
 */
export const runIsolated = (
  { args, limits, module, owner, viewer }: IsolateOptions
): Effect.Effect<Ending, Refusal> =>
  Effect.scoped(Effect.gen(function*() {
    const clock = yield* Clock.Clock
    const job = yield* Effect.acquireRelease(
      Effect.sync(() => {
        const output = viewer === undefined ? "inherit" : "stdout and stderr, input inherited"
        const job: SupervisedJob = new SupervisedJob({
          child: new ChildProcess({ entry: isolatedMain, args, output }),
          identity: { job: module, jobId: crypto.randomUUID(), environment: "local", startedAt: isoNow(clock) },
          limits,
          clock,
          onMessage: (message) => viewer?.onMessage(job, message),
          say: (line) => owner.say(line)
        })
        return job
      }),
      (job) => Effect.promise(() => job.kill())
    )
    const fork = Effect.runForkWith(yield* Effect.context<never>())
    owner.relay = (signal, count) => {
      if (count === 1) fork(Effect.delay(Effect.sync(() => sayBlocked(owner, job, signal)), answerMs))
      job.signal(signal, count)
    }
    // its terminal is not the terminal of its session, so that the system does not tell it
    process.on("SIGWINCH", () => job.resized())
    return yield* endingOf(yield* viewer?.follow(job) ?? Effect.promise(() => job.ended), module)
  }))

/** Says that the event loop of the job is blocked, because the job itself cannot say it then. */
const sayBlocked = (owner: ProcessOwner, { isStopping, limits }: SupervisedJob, signal: Signal): void => {
  if (isStopping) return
  const limit = limits.deadlineMs === Infinity ? "" : ` within ${seconds(limits.deadlineMs)}, or`
  owner.say(
    `${signal}: the job does not answer because its event loop is blocked. It is killed${limit} at once by a third signal.`
  )
}

const endingOf = (end: JobEnd, module: string): Effect.Effect<Ending, Refusal> => {
  switch (end._tag) {
    case "NotStarted":
      return Effect.fail(new Refusal({ message: `the process of the job could not be started: ${end.message}` }))
    case "NotLoaded":
      return Effect.fail(new Refusal({ message: `the module ${module} did not load within ${seconds(end.limitMs)}` }))
    case "Exited": {
      const report = end.reported?.report
      const isClean = !end.hadLeftovers || report === undefined
      return Effect.succeed({ code: exitCode({ isClean, own: end.code }), report })
    }
    case "EndedBySignal":
      return Effect.succeed({ code: exitCode({ isClean: true, signal: end.signal, own: 1 }), report: undefined })
    case "Died":
      return Effect.succeed({ code: exitCode({ isClean: false, own: 1 }), report: end.report })
  }
}
