/**
 * Runs a program as the owner of its process: it answers the signals and the uncaught errors, and sets the exit code.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Layer from "effect/Layer"
import { causeStack } from "./base/errorText.ts"
import { configuredDeadline, enclosingLimits, programLimits } from "./internal/policy/programLimits.ts"
import { type ReportFile, reportFile } from "./internal/report/reportFile.ts"
import { startProgram } from "./internal/run/programRun.ts"
import { refusalOf } from "./internal/run/refusedStart.ts"
import type { Run, RunResult } from "./internal/run/run.ts"
import { stoppableTask } from "./internal/run/stoppableTask.ts"
import { uncleanCode } from "./process/exitCode.ts"
import { CurrentProcess } from "./process/processContext.ts"
import type { ProcessOwner } from "./process/processOwner.ts"
import { runOwned } from "./process/runOwned.ts"
import { printUsageError } from "./process/usageError.ts"
export { type ManagedRuntime, managedRuntime, type ManagedRuntimeOptions } from "./managedRuntime.ts"
import type { StopPolicy } from "./StopPolicy.ts"
import { withTelemetry } from "./telemetry/withTelemetry.ts"
import { StopReport } from "./StopReport.ts"

/**
 * Runs a program to its end, and exits.
 *
 * **When to use**
 *
 * As the last statement of a program that runs jobs. A library must not call it, because it takes the process over.
 *
 * **Details**
 *
 * The first SIGINT, SIGTERM, SIGHUP, SIGQUIT or other signal that ends a process stops the jobs by their own policies, and
 * interrupts the program once they have stopped. A second signal, more than 500 ms later, stops the jobs without waiting, a
 * third one exits at once. An uncaught exception, an unhandled rejection and a call of `process.exit` stop the jobs as well.
 * A stop that takes longer than its deadline ends with the process: the deadline is the longest of the jobs that run and,
 * while none runs, `AUTOSTOP_DEADLINE`, 25 seconds by default. The process exits once its output has been read.
 *
 * What the program provides with `Effect.provide` is released as the services of a job are, see `launch`; its report is
 * written to the file that `AUTOSTOP_REPORT` names, as JSON, and printed on stderr if it is not clean.
 *
 * | What has happened; the first line that holds wins | Exit code |
 * |---|---|
 * | a job did not stop clean, or the deadline has passed | 3 |
 * | a signal stopped the program: SIGHUP, SIGINT, SIGQUIT, SIGTERM, … | 129, 130, 131, 143: 128 and its number |
 * | nobody caught an error | 1 |
 * | the program called `process.exit(n)` | n |
 * | the program set `process.exitCode = n`, other than 0 | n |
 * | the program failed because a setting is wrong, or because a submit was refused | 2 |
 * | the program failed otherwise | 1 |
 * | the program succeeded, but output could not be written | 1 |
 * | the program succeeded | 0 |
 *
 * **Gotchas**
 *
 * `process.exit` throws, and the process exits later: code after the call does not run, but finalizers do.
 *
 * @category running
 * @since 0.1.0
 */
export const runMain = <A, E>(program: Effect.Effect<A, E>): void => {
  runOwned((owner) =>
    owned(
      owner,
      "main",
      Effect.map(enclosingLimits, (limits) =>
        Effect.withFiber((fiber) => {
          const { attach } = fiber.getRef(CurrentProcess)
          const leftovers = owner.leftovers.processes
          const run = startProgram({ name: "main", limits, services: undefined, run: program, leftovers }, fiber)
          // its jobs stop first: the owner of the process stops the program itself only once they have
          const stop = Effect.suspend(() => {
            attach(stoppableTask(run))
            run.stop({ trigger: "stopped", mode: "drain" })
            return run.stopped.await
          })
          const ended = Effect.exit(Effect.interruptible(run.stopped.await))
          return Effect.as(Effect.flatMap(ended, (exit) => exit._tag === "Success" ? Effect.void : stop), run)
        }))
    ), { deadlineMs: configuredDeadline, ownsHandles: false })
}

/**
 * The options of `launch`.
 *
 * @category models
 * @since 0.2.0
 */
export interface LaunchOptions {
  /** The name of the application in the report; `app` by default. */
  readonly name?: string | undefined
  /** The settings of its stop, which win over the configuration (`AUTOSTOP_…`). */
  readonly stopPolicy?: StopPolicy.Settings | undefined
}

/**
 * Runs an application that is made of layers until its process is to end: in place of `NodeRuntime.runMain(Layer.launch(App))`.
 *
 * **Details**
 *
 * Every layer that has something to release is a service: it is released within a limit, dependents first, and one that
 * hangs keeps no other from being released. The signals, the uncaught errors and the exit code are those of `runMain`. The
 * report is written to the file that `AUTOSTOP_REPORT` names, as JSON; if it is not clean, it is printed on stderr as well.
 *
 * A service has the name of what its layer provides (`app/Db`, or `app/Db +1` if it provides one more). If that is nothing,
 * it has the name of the span or of the `Effect.fn` that built it, or `layer` and a number. What `Layer.fresh` builds belongs
 * to the layer around it, because Effect builds it out of sight.
 *
 * @see {@link runMain} for a program that submits jobs or ends by itself
 * @category running
 * @since 0.2.0
 */
export const launch = <A, E>(layer: Layer.Layer<A, E>, options: LaunchOptions = {}): void => {
  runOwned((owner) =>
    owned(
      owner,
      options.name ?? "app",
      Effect.map(programLimits(options.stopPolicy), (limits) =>
        Effect.withFiber((fiber) => {
          const { attach, leftovers } = fiber.getRef(CurrentProcess)
          const run = startProgram(
            { name: options.name ?? "app", limits, services: layer, run: Effect.never, leftovers },
            fiber
          )
          attach(stoppableTask(run))
          return Effect.as(run.stopped.await, run)
        }))
    ), { deadlineMs: configuredDeadline, ownsHandles: true })
}

/** Runs a program to its report, even if it is interrupted, and returns the exit code. */
const owned = <E>(
  owner: ProcessOwner,
  name: string,
  start: Effect.Effect<Effect.Effect<Run>, E>
): Effect.Effect<number> =>
  Effect.gen(function*() {
    const path = process.env.AUTOSTOP_REPORT?.trim()
    const file = path === undefined || path === "" ? undefined : reportFile("AUTOSTOP_REPORT", path)
    if (typeof file === "string") {
      printUsageError(file)
      return 2
    }
    const { lost, result: { result } } = yield* withTelemetry(
      { name, say: owner.say, leftMs: ({ budget }) => budget.remaining() },
      yield* start
    )
    return result === undefined
      ? uncleanCode
      : concluded(owner, { ...result, report: StopReport.withLost(result.report, lost) }, file)
  }).pipe(Effect.catchCause((cause) => Effect.sync(() => failed(owner, cause))), Effect.uninterruptible)

const concluded = (owner: ProcessOwner, { exit, report }: RunResult, file: ReportFile | undefined): number => {
  const code = codeOf(owner, exit)
  const unwritten = file?.write(report)
  if (unwritten !== undefined) owner.unwritten(unwritten)
  if (!report.clean) {
    owner.say(StopReport.render(report))
    return uncleanCode
  }
  return code
}

const codeOf = (owner: ProcessOwner, exit: Exit.Exit<unknown, unknown>): number =>
  exit._tag === "Success" ? 0 : failed(owner, exit.cause)

const failed = (owner: ProcessOwner, cause: Cause.Cause<unknown>): number => {
  const refusal = refusalOf(cause)
  if (refusal !== undefined) {
    printUsageError(refusal.message)
    return 2
  }
  if (owner.signal === undefined && !Cause.hasInterruptsOnly(cause)) process.stderr.write(`${causeStack(cause)}\n`)
  return 1
}
