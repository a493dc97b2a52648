import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { fileURLToPath } from "node:url"
import { entries } from "../../process/entryPoints.ts"
import { pathOf } from "../../jobProcess/jobModule.ts"
import { mergePolicy } from "../../internal/policy/resolvePolicy.ts"
import * as Policy from "../../StopPolicy.ts"
import type { JobLimits } from "../../jobProcess/killDeadline.ts"
import { type Ended, Supervised } from "../../jobProcess/supervisedJob.ts"
import type { Told } from "../../jobProcess/protocol.ts"
import { readOutput } from "./readOutput.ts"
import type { Trigger } from "../../StopReport.ts"
import { jobEnvironment } from "./jobEnvironment.ts"
import { nodeArgs } from "../code/confinement.ts"
import type { JobProcess, JobProcessOptions } from "../JobProcess.ts"
import type { JobResult, StopCommand, Submission } from "../models.ts"
import { settingsOf } from "./prepareJob.ts"
import { fallbackExit, notStarted } from "../fallbackResult.ts"
import { enforceLimits, heapArgs } from "./resourceLimits.ts"
import type { Asked } from "./protocol.ts"
import { partialFile } from "../resultFile.ts"

/** How long the output of a process that has ended may still be read: something that it has started may hold it. */
const outputMs = 2_000

/** Runs a job in a process of its own, which outlives nothing: not its deadline, and not its manager. */
export const startJobProcess = (options: JobProcessOptions): JobProcess => {
  const { code, id, limits = {}, onEvent, onStages, resultFile, submission } = options
  const env = jobEnvironment(options.env)
  /** The processes of its hosts. */
  const hosts = new Set<number>()
  const onTold = (told: Told): void => {
    switch (told._tag) {
      case "Stages":
        return onStages(told.stages)
      case "Limits":
      case "Reported":
      case "Alive":
        return
      case "HostStarted":
        if (told.pid !== undefined) hosts.add(told.pid)
        return onEvent(told)
      case "HostLost":
      case "HostKilled":
        if (told.pid !== undefined) hosts.delete(told.pid)
        return onEvent(told)
      default:
        onEvent(told)
    }
  }
  const supervised = new Supervised({
    args: [
      ...heapArgs(limits),
      ...nodeArgs(code.confinement, [resultFile, partialFile(resultFile)]),
      fileURLToPath(entries.jobMain)
    ],
    env,
    sharesOutput: false,
    account: { job: submission.job, jobId: id, environment: "remote" },
    limits: limitsOf(env, submission),
    onTold,
    say: () => {}
  })
  const output = capture(supervised, options)
  const unwatch = enforceLimits({
    limits,
    pids: () => supervised.child.pid === undefined ? [] : [supervised.child.pid, ...hosts],
    stop: (command, trigger) => stop(supervised, command, trigger)
  })
  const ended = supervised.ended.then(async (ended) => {
    unwatch()
    await output()
    return resultOf(ended, supervised, options)
  })
  supervised.send({ _tag: "Start", id, module: code.module, submission, resultFile } satisfies Asked)
  return {
    pid: supervised.child.pid,
    stop: (command) => stop(supervised, command),
    ended: Effect.promise(() => ended)
  }
}

const stop = (supervised: Supervised, command: StopCommand, trigger: Trigger = "stopped"): void =>
  supervised.request(
    { urgency: command.mode === "kill" ? "at once" : "stop", trigger, reason: command.reason },
    { _tag: "Stop", command, trigger } satisfies Asked
  )

/** Passes on what the process prints. Returns how to wait for the rest, once it has ended. */
const capture = ({ child }: Supervised, { onOutput }: JobProcessOptions): () => Promise<unknown> => {
  const { stderr, stdout } = child
  const all = Promise.all([
    stdout === null ? undefined : readOutput(stdout, (text) => onOutput("stdout", text)),
    stderr === null ? undefined : readOutput(stderr, (text) => onOutput("stderr", text))
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

const resultOf = (ended: Ended, supervised: Supervised, options: JobProcessOptions): JobResult => {
  const { code: { module }, id, submission: { job } } = options
  const at = new Date().toISOString()
  const failed = (reason: string) => notStarted({ at, id, job, trigger: "failed", reason })
  switch (ended._tag) {
    case "NotStarted":
      return failed(`the process of the job could not be started: ${ended.message}`)
    case "NotLoaded":
      return failed(`the module ${pathOf(module)} did not load within ${ended.limitMs / 1_000} s`)
    case "Early":
      return notStarted({ at, id, job, ...supervised.whyStopped(`was ended by ${ended.signal} before it began`) })
    case "Exited": {
      const { reported } = ended
      if (reported === undefined) {
        return notStarted({ at, id, job, ...supervised.whyStopped(`exited with code ${ended.code} before it began`) })
      }
      return {
        exit: reported.exit ?? fallbackExit(reported.report.outcome, "it told no exit"),
        report: reported.report
      }
    }
    case "Died":
      return {
        exit: ended.exit ??
          fallbackExit(ended.report.outcome, `the process of job ${id} ${ended.how}: its result is lost`),
        report: ended.report
      }
  }
}

/** The limits until the job says its own. What is wrong with them it says itself. */
export const limitsOf = (env: NodeJS.ProcessEnv, submission?: Submission): JobLimits => {
  const autostop = submission?.autostop
  const { deadline, startTimeout } = Effect.runSync(
    Effect.gen(function*() {
      const defaults = yield* Policy.StopPolicy.Defaults
      const given = Effect.flatMap(
        Policy.fromConfig,
        (config) => mergePolicy([config, Policy.fromOptions(settingsOf(submission))], defaults)
      )
      return yield* Effect.catch(Effect.map(given, ({ values }) => values), () => Effect.succeed(defaults))
    }).pipe(Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromEnvRecord(env)))
  )
  return {
    deadlineMs: Duration.toMillis(deadline),
    loadMs: Duration.toMillis(startTimeout),
    afterMs: typeof autostop === "object" && "after" in autostop ? autostop.after : Infinity
  }
}
