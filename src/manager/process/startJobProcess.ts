import * as Clock from "effect/Clock"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { isoNow } from "../../base/clock.ts"
import { mergePolicy } from "../../internal/policy/resolvePolicy.ts"
import { pathOf } from "../../jobProcess/jobModule.ts"
import type { JobLimits } from "../../jobProcess/nextKill.ts"
import { storedEvents } from "../../jobProcess/pipeLimits.ts"
import type { JobMessage } from "../../jobProcess/protocol.ts"
import type { JobEnd } from "../../jobProcess/jobEnd.ts"
import { SupervisedJob } from "../../jobProcess/supervisedJob.ts"
import { readProcess } from "../../process/processTable.ts"
import * as Policy from "../../StopPolicy.ts"
import type { Trigger } from "../../StopReport.ts"
import { fallbackExit, notStarted } from "../fallbackResult.ts"
import type { JobProcess, JobProcessOptions } from "../JobProcess.ts"
import type { JobResult, StopCommand, Submission } from "../models.ts"
import { partialFile } from "../resultFile.ts"
import { childSettings, moduleVersion, newChild } from "./jobChild.ts"
import { settingsOf } from "./prepareJob.ts"
import { upTo } from "./jobOutput.ts"
import { readOutput } from "./readOutput.ts"
import { enforceLimits } from "./resourceLimits.ts"
import type { Spares } from "./spares.ts"

/**
 * The time for reading the output of a process that has ended. A process that it has started may hold the output open.
 */
const outputMs = 2_000

/** The real clock, because a job process lives in real time. */
const clock = Context.get(Context.empty(), Clock.Clock)

/** Runs a job in a process of its own, which outlives neither its deadline nor its manager. */
export const startJobProcess = (options: JobProcessOptions, spares?: Spares): JobProcess => {
  const { code, id, limits = {}, onCalls, onEvent, onSpans, onStages, resultFile, submission, trace } = options
  const settings = childSettings({
    confinement: code.confinement,
    limits,
    env: options.env,
    writable: [resultFile, partialFile(resultFile)]
  })
  const module = moduleVersion(code.module)
  const endOfOutput = spares === undefined || code.confinement !== undefined ? undefined : `\0${crypto.randomUUID()}\n`
  const onMessage = (message: JobMessage): void => {
    switch (message._tag) {
      case "Stages":
        return onStages(message.stages)
      case "Spans":
        return onSpans?.(message.spans)
      case "Calls":
        return onCalls?.(message.counts)
      case "Limits":
      case "Reported":
      case "Alive":
      case "Idle":
        return
      default:
        onEvent(message)
    }
  }
  const supervised = new SupervisedJob({
    child: spares?.take(settings, module) ?? newChild(settings),
    identity: { job: submission.job, jobId: id, environment: "remote", startedAt: isoNow(clock) },
    limits: limitsOf(settings.env, submission),
    pipe: { events: limits.events ?? storedEvents },
    clock,
    onMessage,
    ...(spares === undefined || endOfOutput === undefined
      ? {}
      : { onIdle: (child) => spares.giveBack({ child, settings, module }) }),
    say: () => {}
  })
  const restOfOutput = passOnOutput(outputOf(supervised, endOfOutput), options)
  const endLimits = enforceLimits({
    limits,
    pids: () => supervised.pids,
    stop: (command, trigger) => stop(supervised, command, trigger)
  })
  const ended = supervised.ended.then(async (ended) => {
    endLimits()
    await restOfOutput()
    return resultOf(ended, supervised, options)
  })
  supervised.start({
    id,
    module: code.module,
    spec: submission,
    resultFile,
    ...(endOfOutput === undefined ? {} : { endOfOutput }),
    ...(trace === undefined ? {} : { trace })
  })
  return {
    pid: supervised.pid,
    pidStart: supervised.pid === undefined ? undefined : readProcess(supervised.pid)?.start,
    stop: (command) => stop(supervised, command),
    ended: Effect.promise(() => ended)
  }
}

const stop = (supervised: SupervisedJob, { mode = "drain", ...command }: StopCommand, trigger: Trigger = "stopped") =>
  supervised.stop({ ...command, trigger, mode })

type Output = SupervisedJob["output"]

/** The output of the job, without that of later jobs of the same process. */
const outputOf = ({ output: { stderr, stdout } }: SupervisedJob, end: string | undefined): Output =>
  end === undefined
    ? { stderr, stdout }
    : { stderr: stderr && upTo(stderr, end), stdout: stdout && upTo(stdout, end) }

/** Passes on the output of the process. Returns a function that waits for the rest once the process has ended. */
const passOnOutput = (
  { stderr, stdout }: Output,
  { onOutput }: JobProcessOptions
): () => Promise<unknown> => {
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

const resultOf = (ended: JobEnd, supervised: SupervisedJob, options: JobProcessOptions): JobResult => {
  const { code: { module }, id, submission: { job } } = options
  const at = isoNow(clock)
  const failed = (reason: string) => notStarted({ at, id, job, trigger: "failed", reason })
  switch (ended._tag) {
    case "NotStarted":
      return failed(`the process of the job could not be started: ${ended.message}`)
    case "NotLoaded":
      return failed(`the module ${pathOf(module)} did not load within ${ended.limitMs / 1_000} s`)
    case "EndedBySignal":
      return notStarted({ at, id, job, ...supervised.stopReason(`was ended by ${ended.signal} before it began`) })
    case "Exited": {
      const { reported } = ended
      if (reported === undefined) {
        return notStarted({ at, id, job, ...supervised.stopReason(`exited with code ${ended.code} before it began`) })
      }
      return {
        exit: reported.exit ?? fallbackExit(reported.report.outcome, "the job reported no exit"),
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

/** Returns the limits that hold until the job has sent its own. The job itself refuses settings that cannot be used. */
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
