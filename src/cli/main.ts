import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import type * as CliError from "effect/cli/CliError"
import * as CliOutput from "effect/cli/CliOutput"
import * as Command from "effect/cli/Command"
import type { Owner } from "../process/processOwner.ts"
import { oneLine } from "../base/format.ts"
import { ownProcess } from "../process/runOwned.ts"
import { version } from "../process/packageVersion.ts"
import { CommandLine } from "./commandLine.ts"
import { eventsCommand, logsCommand } from "./commands/feeds.ts"
import {
  cleanCommand,
  deleteCommand,
  healthCommand,
  infoCommand,
  listCommand,
  reportCommand,
  statusCommand,
  stopCommand
} from "./commands/jobs.ts"
import { runCommand } from "./commands/run.ts"
import { serveCommand } from "./commands/serve.ts"
import { submitCommand } from "./commands/submit.ts"
import type { Refusal } from "./refusal.ts"
import { watchCommand } from "./commands/watch.ts"

const command = Command.make("autostop").pipe(
  Command.withDescription("Runs jobs, and stops well everything that they started"),
  Command.withSubcommands([
    runCommand,
    serveCommand,
    submitCommand,
    listCommand,
    statusCommand,
    watchCommand,
    eventsCommand,
    logsCommand,
    stopCommand,
    reportCommand,
    deleteCommand,
    cleanCommand,
    infoCommand,
    healthCommand
  ])
)

/** Runs the command line as the owner of this process. `supervise` leaves its signals and its report to another one. */
export const main = (
  args: ReadonlyArray<string>,
  installed: () => void,
  supervise?: (owner: Owner) => void
): void => {
  ownProcess((owner) => {
    supervise?.(owner)
    const line = { exitCode: 0, owner, args, isSupervised: supervise !== undefined }
    return Command.runWith(command, { version })(args).pipe(
      Effect.as(0),
      Effect.catch((error) =>
        Effect.sync(() => {
          for (const line of lines(error)) process.stderr.write(`autostop: ${line}\n`)
          return 2
        })
      ),
      Effect.map((usage) => usage === 0 ? line.exitCode : usage),
      Effect.provideService(CommandLine, line),
      Effect.provideService(CliOutput.Presenter, presenter),
      Effect.provide(NodeServices.layer),
      Effect.catchCause((cause) =>
        Effect.sync(() => {
          if (owner.signal === undefined) process.stderr.write(`autostop: ${String(cause)}\n`)
          return 1
        })
      )
    )
  }, { ownsHandles: true })
  installed()
}

/** Only what was asked for is on stdout, where a shell may take it for an id. */
const presenter: CliOutput.Presenter = {
  present: (event) => {
    if (event._tag === "InvalidInvocation") return Effect.void
    if (event._tag === "Version" || event.reason === "Requested") return CliOutput.defaultPresenter.present(event)
    return Effect.map(
      CliOutput.Formatter,
      ({ formatHelpDoc }) => void process.stderr.write(`${formatHelpDoc(event.helpDoc)}\n`)
    )
  }
}

/** What is wrong, one line each, without the help. */
const lines = (error: CliError.CliError | Refusal): ReadonlyArray<string> =>
  error._tag === "ShowHelp"
    ? error.errors.length > 0
      ? [...error.errors.map(({ message }) => oneLine(message)), `see "${error.commandPath.join(" ")} --help"`]
      : [`a command is missing; see "${error.commandPath.join(" ")} --help"`]
    : error.message.split("\n")
