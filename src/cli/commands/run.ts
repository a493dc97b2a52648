import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import { relative } from "node:path"
import { type Autostop, Environment } from "../../Environment.ts"
import { decodePayload } from "../../jobProcess/jobModule.ts"
import { mergePolicy, type PolicySource } from "../../internal/policy/resolvePolicy.ts"
import { refusalOf } from "../../internal/run/refusedStart.ts"
import { encodeExit } from "../../manager/exitCodec.ts"
import * as LocalEnvironment from "../../LocalEnvironment.ts"
import * as Policy from "../../StopPolicy.ts"
import { StopReport } from "../../StopReport.ts"
import { withTelemetry } from "../../telemetry/withTelemetry.ts"
import { CommandContext } from "../commandContext.ts"
import { loadJob } from "../flags/moduleArgument.ts"
import { autostopOf, policySourceOf, readPayload, startFlags, type StartInput, text } from "../flags/startFlags.ts"
import { type Ending, type IsolateOptions, runIsolated } from "../isolatedRun.ts"
import { asRefusal, Refusal } from "../refusal.ts"
import { showProgress } from "../views/progress.ts"
import { printExitLine, printReport, printResult, reportWriter } from "../views/reportOutput.ts"

const flags = {
  module: Argument.File("module").pipe(
    Argument.withDescription("The module that exports the job"),
    // messages show the path as its user most likely wrote it
    Argument.map((path) => relative("", path).startsWith("..") ? path : relative("", path))
  ),
  report: text("report", "The file to write the report to, as JSON", "file"),
  format: Flag.Literals("format", ["pretty", "json"]).pipe(
    Flag.withDescription(
      "What to print: pretty for people, json for machines (the report on stdout, events on stderr)"
    ),
    Flag.withDefault("pretty")
  ),
  isolate: Flag.Boolean("isolate").pipe(
    Flag.withDescription("Run the job in a process of its own, which is killed if it does not keep its deadline"),
    Flag.withDefault(false)
  ),
  page: Flag.Boolean("page").pipe(
    Flag.withDescription(
      "Show the job on a page of this machine while it runs, in a process of its own as with --isolate"
    ),
    Flag.withDefault(false)
  ),
  keepPage: Flag.Boolean("keep-page").pipe(
    Flag.withDescription("The same, and keep the page after the end of the job, until Ctrl-C"),
    Flag.withDefault(false)
  ),
  ...startFlags
}

interface Input extends StartInput {
  readonly module: string
  readonly report: Option.Option<string>
  readonly format: "pretty" | "json"
  readonly isolate: boolean
  readonly page: boolean
  readonly keepPage: boolean
}

/** The command `autostop run MODULE`. */
export const runCommand = Command.make("run", flags, (input: Input) =>
  Effect.gen(function*() {
    const context = yield* CommandContext
    if (input.format === "json") {
      context.owner.say = (text) => void process.stderr.write(`${JSON.stringify({ _tag: "Notice", text })}\n`)
    }
    const config = yield* Policy.fromConfig
    const given = policySourceOf(input)
    // the limits are checked against the deadline later, because the job may set another one
    const { values } = yield* mergePolicy([config, given], yield* Policy.StopPolicy.Defaults)
    const autostop = yield* autostopOf(input)
    const writeReport = yield* reportWriter(input.report)
    const loadMs = Duration.toMillis(values.startTimeout)
    const isolation: IsolateOptions = {
      owner: context.owner,
      args: context.args,
      module: input.module,
      limits: {
        deadlineMs: Duration.toMillis(values.deadline),
        loadMs,
        afterMs: typeof autostop === "object" && "after" in autostop ? Duration.toMillis(autostop.after) : Infinity
      }
    }
    const ending: Ending = context.isIsolated || !(input.isolate || isPaged(input))
      ? yield* runHere(input, { config, given, autostop, loadMs })
      : isPaged(input)
      // the server of the page takes a while to load
      ? yield* Effect.flatMap(
        Effect.promise(() => import("../pagedRun.ts")),
        ({ runPaged }) => runPaged({ ...isolation, format: input.format, keepsPage: input.keepPage })
      )
      : yield* runIsolated(isolation)
    const { code, lastLook = Effect.void, report, showResult = Effect.void } = ending
    context.exitCode = code
    // the parent of an isolated job has its report, writes and prints it, and fails if that fails
    if (report === undefined || (context.isIsolated && !context.owner.isParentLost)) return yield* showResult
    const unwritten = writeReport(report)
    yield* showResult
    printReport(input.format, report)
    if (unwritten !== undefined) context.owner.unwritten(unwritten)
    yield* lastLook
  }).pipe(
    Effect.scoped,
    Effect.provide(LocalEnvironment.layer),
    // a machine reads nothing but the report on stdout
    Effect.provideService(Logger.LogToStderr, input.format === "json"),
    Effect.mapError(asRefusal)
  )).pipe(Command.withDescription("Runs a job here, stops it well, and reports"))

/** Returns the part of the deadline that a stop has not used. */
const leftMs = ({ phases }: StopReport, { deadline }: Policy.StopPolicy): number =>
  Duration.toMillis(deadline) - phases.reduce((sum, { durationMs }) => sum + durationMs, 0)

const isPaged = ({ keepPage, page }: Input): boolean => page || keepPage

/** Runs the job in this process. */
const runHere = Effect.fnUntraced(function*(input: Input, { autostop, config, given, loadMs }: {
  readonly config: PolicySource
  readonly given: PolicySource
  readonly autostop: Autostop
  readonly loadMs: number
}) {
  const json = yield* readPayload(input.payload)
  const job = yield* loadJob(input.module, loadMs)
  const stopPolicy = yield* Policy.resolve([config, Policy.fromOptions(job.stopPolicy), given])
  const payload = yield* Effect.mapError(decodePayload(job, json), (message) => new Refusal({ message }))
  const { owner } = yield* CommandContext
  const { lost, result: { exit, report: stopped } } = yield* withTelemetry(
    { name: job.name, say: (line) => owner.say(line), leftMs: ({ report }) => leftMs(report, stopPolicy) },
    Effect.gen(function*() {
      const run = yield* Environment.submit(job, payload, { autostop, stopPolicy })
      // the process that has the page shows the progress
      const shown = isPaged(input) ? Effect.void : showProgress(run, input.format)
      return yield* Effect.uninterruptible(Effect.andThen(shown, run.result))
    })
  )
  const report = StopReport.withLost(stopped, lost)
  const refusal = exit._tag === "Failure" && report.clean ? refusalOf(exit.cause) : undefined
  if (refusal !== undefined) return yield* new Refusal({ message: refusal.message })
  const showResult = input.format === "pretty"
    ? printResult(job, exit, report)
    : Effect.map(encodeExit(job, exit), printExitLine)
  return { code: report.outcome === "succeeded" ? 0 : 1, report, showResult } satisfies Ending
}, Effect.scoped)
