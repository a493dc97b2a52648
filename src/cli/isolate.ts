import * as Effect from "effect/Effect"
import { fileURLToPath } from "node:url"
import { entries } from "../process/entryPoints.ts"
import type { Owner } from "../process/processOwner.ts"
import { type Signal, signalCodes } from "../process/signals.ts"
import type { StopReport } from "../StopReport.ts"
import type { JobLimits } from "../jobProcess/killDeadline.ts"
import { type Ended, Supervised } from "../jobProcess/supervisedJob.ts"
import { Refusal } from "./refusal.ts"
import type { Asked } from "./isolateProtocol.ts"

/** When it is said of a job that it does not answer a signal. */
const answerMs = 1_000

export interface IsolateOptions {
  readonly owner: Owner
  /** The command line of the job. */
  readonly args: ReadonlyArray<string>
  readonly module: string
  readonly limits: JobLimits
}

export interface Ending {
  readonly code: number
  /** There is none where nothing was started. */
  readonly report: StopReport | undefined
}

/**
 * Runs a job in a process of its own, and sees to it that the deadline holds also where the event loop of that process
 * is blocked. The signals of this process are those of the job.
 */
export const isolate = (options: IsolateOptions): Effect.Effect<Ending, Refusal> =>
  Effect.callback((resume) => {
    const { owner } = options
    const supervised = new Supervised({
      args: [fileURLToPath(entries.isolatedMain), ...options.args],
      sharesOutput: true,
      account: { job: options.module, environment: "local" },
      limits: options.limits,
      onTold: () => {},
      say: (line) => owner.say(line)
    })
    relaySignals(owner, supervised)
    supervised.ended.then(
      (ended) => resume(endingOf(ended, options.module)),
      (error) => resume(Effect.die(error))
    )
    return Effect.promise(() => supervised.kill())
  })

/** The job is asked for what a signal means, and says so itself. */
const relaySignals = (owner: Owner, supervised: Supervised): void => {
  let signals = 0
  owner.relay = (signal, count) => {
    if (++signals === 1) setTimeout(() => sayBlocked(owner, supervised, signal), answerMs).unref()
    supervised.request(
      { urgency: signals === 1 ? "stop" : signals === 2 ? "at once" : "exit", trigger: "signal", reason: signal },
      { _tag: "Signal", signal, count } satisfies Asked
    )
  }
  // its terminal is not that of its session
  process.on("SIGWINCH", () => supervised.child.kill("SIGWINCH"))
}

/** The job itself cannot. */
const sayBlocked = (owner: Owner, { isStopping, limits }: Supervised, signal: Signal): void => {
  if (isStopping) return
  const limit = limits.deadlineMs === Infinity ? "" : ` within ${limits.deadlineMs / 1_000} s, or`
  owner.say(
    `${signal}: the job does not answer, its event loop is blocked. It is killed${limit} at once by a third signal.`
  )
}

const endingOf = (ended: Ended, module: string): Effect.Effect<Ending, Refusal> => {
  switch (ended._tag) {
    case "NotStarted":
      return Effect.fail(new Refusal({ message: `the process of the job could not be started: ${ended.message}` }))
    case "NotLoaded":
      return Effect.fail(
        new Refusal({ message: `the module ${module} did not load within ${ended.limitMs / 1_000} s` })
      )
    case "Exited": {
      const report = ended.reported?.report
      return Effect.succeed({ code: ended.leaves && report !== undefined ? 3 : ended.code, report })
    }
    case "Early":
      return Effect.succeed({ code: signalCodes[ended.signal], report: undefined })
    case "Died":
      return Effect.succeed({ code: 3, report: ended.report })
  }
}
