import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { readFileSync } from "node:fs"
import { type Autostop, Environment } from "../Environment.ts"
import { parseDuration } from "../internal/duration.ts"
import type { Owner } from "../internal/owner.ts"
import { fields, flag, merge, PolicyError, type Source } from "../internal/settings.ts"
import type * as Job from "../Job.ts"
import * as LocalEnvironment from "../LocalEnvironment.ts"
import * as Policy from "../StopPolicy.ts"
import { type Ending, isolate } from "./isolate.ts"
import { loadJob } from "./load.ts"
import { messageOf, printReport, printResult, reportWriter } from "./output.ts"
import { follow } from "./progress.ts"
import { Refusal } from "./refusal.ts"

/** What a command finds of the process it runs in, and where it leaves its exit code. */
export class CommandLine extends Context.Service<CommandLine, {
  readonly owner: Owner
  readonly args: ReadonlyArray<string>
  /** Whether a supervisor is told what happens, and reports. */
  readonly isSupervised: boolean
  exitCode: number
}>()("autostop/cli/CommandLine") {}

const text = (name: string, description: string, metavar: string) =>
  Flag.String(name).pipe(Flag.withDescription(description), Flag.withMetavar(metavar), Flag.optional)

const descriptions: { readonly [K in keyof Required<Policy.Settings>]: string } = {
  strategy: `How to stop: ${Policy.Strategy.literals.join(", ")}`,
  delay: "How long to report \"stopping\" before anything is stopped",
  drainTimeout: "The limit of the drain",
  cancelTimeout: "The limit of the interrupt of the run",
  releaseTimeout: "The limit of each service's release",
  releaseConcurrency: "How many services are released at once",
  onReleaseFailure: "What a release that failed means for the others: continue or kill",
  killTimeout: "The limit of a kill",
  deadline: "The limit of all phases together",
  startTimeout: "The limit of each service's start"
}

const policyFlags = Object.fromEntries(
  fields.map((field) => [field, text(flag(field).slice(2), descriptions[field], "value")])
) as Record<keyof Policy.Settings, Flag.Flag<Option.Option<string>>> // the fields are exactly these keys

const flags = {
  module: Argument.String("module").pipe(Argument.withDescription("The module whose default export is the job")),
  payload: text("payload", "The payload as JSON, or @FILE", "json"),
  report: text("report", "Where to write the report, as JSON", "file"),
  format: Flag.Literals("format", ["pretty", "json"]).pipe(
    Flag.withDescription(
      "What to print: pretty for people, json for machines (the report on stdout, events on stderr)"
    ),
    Flag.withDefault("pretty")
  ),
  autostop: Flag.Boolean("autostop").pipe(
    Flag.withDescription("Stop when the run ends (the default); --no-autostop keeps the services up until a signal"),
    Flag.withDefault(true)
  ),
  idle: text("idle", "Stop also when no source has emitted for that long", "duration"),
  after: text("after", "Stop also when that long has passed", "duration"),
  isolate: Flag.Boolean("isolate").pipe(
    Flag.withDescription("Run the job in a process of its own, which is killed where it does not keep its deadline"),
    Flag.withDefault(false)
  ),
  ...policyFlags
}

interface Input extends Record<keyof Policy.Settings, Option.Option<string>> {
  readonly module: string
  readonly payload: Option.Option<string>
  readonly report: Option.Option<string>
  readonly format: "pretty" | "json"
  readonly autostop: boolean
  readonly idle: Option.Option<string>
  readonly after: Option.Option<string>
  readonly isolate: boolean
}

/** `autostop run MODULE`. */
export const runCommand = Command.make("run", flags, (input: Input) =>
  Effect.gen(function*() {
    const commandLine = yield* CommandLine
    if (input.format === "json") {
      commandLine.owner.say = (text) => void process.stderr.write(`${JSON.stringify({ _tag: "Notice", text })}\n`)
    }
    const config = yield* Policy.fromConfig
    const given = flagsOf(input)
    // whether the limits fit into the deadline is open until the job has said its own
    const { values } = yield* merge([config, given], yield* Policy.StopPolicy.Defaults)
    const autostop = yield* autostopOf(input)
    const writeReport = yield* reportWriter(input.report)
    const loadMs = Duration.toMillis(values.startTimeout)
    const { code, report } = input.isolate && !commandLine.isSupervised
      ? yield* isolate({
        owner: commandLine.owner,
        args: commandLine.args,
        module: input.module,
        limits: {
          deadlineMs: Duration.toMillis(values.deadline),
          loadMs,
          afterMs: typeof autostop === "object" && "after" in autostop ? Duration.toMillis(autostop.after) : Infinity
        }
      })
      : yield* runHere(input, { config, given, autostop, loadMs })
    commandLine.exitCode = code
    // who supervises reports, and is told if that fails
    if (report === undefined || (commandLine.isSupervised && !commandLine.owner.isLost)) return
    printReport(input.format, report)
    const unwritten = writeReport(report)
    if (unwritten !== undefined) {
      commandLine.owner.say(unwritten)
      if (code === 0) commandLine.exitCode = 1
    }
  }).pipe(
    Effect.provide(LocalEnvironment.layer),
    // what a machine reads on stdout is the report alone
    Effect.provideService(Logger.LogToStderr, input.format === "json"),
    Effect.mapError((error) => error._tag === "Refusal" ? error : new Refusal({ message: error.message }))
  )).pipe(Command.withDescription("Runs a job here, stops it well, and reports"))

/** Runs the job in this process. */
const runHere = Effect.fnUntraced(function*(input: Input, { autostop, config, given, loadMs }: {
  readonly config: Source
  readonly given: Source
  readonly autostop: Autostop
  readonly loadMs: number
}) {
  const json = yield* readPayload(input.payload)
  const job = yield* loadJob(input.module, loadMs)
  const stopPolicy = yield* Policy.resolve([config, Policy.fromOptions(job.stopPolicy), given])
  const payload = yield* decodePayload(job, json)
  // the services of the command line (a terminal, file system) are not the job's
  const run = yield* Environment.submit(job, payload, { autostop, stopPolicy })
  const { exit, report } = yield* Effect.uninterruptible(Effect.andThen(follow(run, input.format), run.result))
  if (input.format === "pretty") yield* printResult(job, exit, report)
  return { code: report.outcome === "succeeded" ? 0 : 1, report } satisfies Ending
})

/** The settings among the flags, by the names of the flags. */
const flagsOf = (input: Input): Source => ({
  settings: Object.fromEntries(
    fields.flatMap((field) => Option.isSome(input[field]) ? [[field, input[field].value]] : [])
  ),
  nameOf: flag
})

const autostopOf = Effect.fnUntraced(function*(
  { after, autostop, idle }: Input
): Effect.fn.Return<Autostop, PolicyError | Refusal> {
  const given = [
    ...(autostop ? [] : ["--no-autostop"]),
    ...(Option.isSome(idle) ? ["--idle"] : []),
    ...(Option.isSome(after) ? ["--after"] : [])
  ]
  if (given.length > 1) {
    return yield* new Refusal({ message: `${given.join(" and ")} cannot be combined; expected one of them` })
  }
  if (Option.isSome(idle)) return { idle: yield* moreThanZero("--idle", idle.value) }
  if (Option.isSome(after)) return { after: yield* moreThanZero("--after", after.value) }
  return autostop
})

const moreThanZero = (name: string, value: string): Effect.Effect<Duration.Duration, PolicyError> => {
  const duration = parseDuration(value)
  return duration === undefined || Duration.isZero(duration)
    ? Effect.fail(
      PolicyError.of(name, value, "a duration of more than zero, such as \"500ms\", \"5s\" or \"2 minutes\"")
    )
    : Effect.succeed(duration)
}

const readPayload = (payload: Option.Option<string>) =>
  Option.isNone(payload) ? Effect.succeed(undefined) : Effect.try({
    try: (): unknown => {
      const source = payload.value
      return JSON.parse(source.startsWith("@") ? readFileSync(source.slice(1), "utf8").replace(/^\uFEFF/, "") : source)
    },
    catch: (error) => new Refusal({ message: `--payload is not JSON: ${messageOf(error)}` })
  })

const decodePayload = (job: Job.Any, json: unknown) =>
  Effect.mapError(
    // safe: what is decoded from JSON needs no services
    Schema.decodeUnknownEffect(Schema.toCodecJson(job.payload))(json === undefined ? {} : json) as Effect.Effect<
      unknown,
      Schema.SchemaError
    >,
    (error) =>
      new Refusal({
        message: `the payload of "${job.name}": ${error.message.split("\n").map((l) => l.trim()).join(" ")}`
      })
  )
