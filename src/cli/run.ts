import * as Cause from "effect/Cause"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { accessSync, constants, existsSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { dirname, resolve } from "node:path"
import { type Autostop, Environment } from "../Environment.ts"
import { parseDuration } from "../internal/duration.ts"
import type { Owner } from "../internal/owner.ts"
import { fields, flag, merge, PolicyError, type Source } from "../internal/settings.ts"
import type * as Job from "../Job.ts"
import * as LocalEnvironment from "../LocalEnvironment.ts"
import * as Policy from "../StopPolicy.ts"
import { StopReport } from "../StopReport.ts"
import { loadJob } from "./load.ts"
import { follow } from "./progress.ts"
import { Refusal } from "./refusal.ts"

/** What a command finds of the process it runs in, and where it leaves its exit code. */
export class CommandLine extends Context.Service<CommandLine, {
  readonly owner: Owner
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
    const json = yield* readPayload(input.payload)
    const job = yield* loadJob(input.module, Duration.toMillis(values.startTimeout))
    const stopPolicy = yield* Policy.resolve([config, Policy.fromOptions(job.stopPolicy), given])
    const payload = yield* decodePayload(job, json)
    // the services of the command line (a terminal, file system) are not the job's
    const run = yield* Environment.submit(job, payload, { autostop, stopPolicy })
    const { exit, report } = yield* Effect.uninterruptible(Effect.andThen(follow(run, input.format), run.result))
    yield* print(input.format, job, exit, report)
    commandLine.exitCode = report.outcome === "succeeded" ? 0 : 1
    const unwritten = writeReport(report)
    if (unwritten !== undefined) {
      commandLine.owner.say(unwritten)
      commandLine.exitCode = 1
    }
  }).pipe(
    Effect.provide(LocalEnvironment.layer),
    // what a machine reads on stdout is the report alone
    Effect.provideService(Logger.LogToStderr, input.format === "json"),
    Effect.mapError((error) => error._tag === "Refusal" ? error : new Refusal({ message: error.message }))
  )).pipe(Command.withDescription("Runs a job here, stops it well, and reports"))

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

/** That the file cannot be written is to be known before anything starts, and leaves nothing behind. */
const reportWriter = (path: Option.Option<string>) => {
  if (Option.isNone(path)) return Effect.succeed((): string | undefined => undefined)
  const refusal = (error: unknown) => `--report ${path.value} cannot be written: ${messageOf(error)}`
  return Effect.try({
    try: () => {
      const exists = existsSync(path.value)
      if (exists && statSync(path.value).isDirectory()) throw new Error("it is a folder")
      accessSync(exists ? path.value : dirname(resolve(path.value)), constants.W_OK)
      return (report: StopReport): string | undefined => {
        try {
          writeFileSync(path.value, `${JSON.stringify(report, null, 2)}\n`)
          return undefined
        } catch (error) {
          return refusal(error)
        }
      }
    },
    catch: (error) => new Refusal({ message: refusal(error) })
  })
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

const print = (format: Input["format"], job: Job.Any, exit: Exit.Exit<unknown, unknown>, report: StopReport) =>
  Effect.gen(function*() {
    if (format === "json") return void process.stdout.write(`${JSON.stringify(report)}\n`)
    if (Exit.isSuccess(exit) && exit.value !== undefined) {
      const encode = Schema.encodeUnknownEffect(Schema.toCodecJson(job.success))
      const encoded = yield* Effect.exit(encode(exit.value) as Effect.Effect<unknown, Schema.SchemaError>)
      const shown = Exit.isSuccess(encoded) ? JSON.stringify(encoded.value) : undefined
      if (shown !== undefined) process.stdout.write(`Result: ${shown}\n`)
    }
    if (Exit.isFailure(exit) && report.outcome === "failed") process.stderr.write(`${Cause.pretty(exit.cause)}\n`)
    process.stdout.write(`${StopReport.render(report)}\n`)
  })

const messageOf = (error: unknown): string => error instanceof Error ? error.message : String(error)
