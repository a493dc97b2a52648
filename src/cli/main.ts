import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import type * as CliError from "effect/cli/CliError"
import * as CliOutput from "effect/cli/CliOutput"
import * as Command from "effect/cli/Command"
import { configuredDeadline } from "../internal/policy/programLimits.ts"
import { RunObserver } from "../internal/run/runObserver.ts"
import type { Run } from "../internal/run/run.ts"
import type { ProcessOwner } from "../process/processOwner.ts"
import { causeStack } from "../base/errorText.ts"
import { oneLine } from "../base/format.ts"
import { runOwned } from "../process/runOwned.ts"
import { printUsageError } from "../process/usageError.ts"
import { version } from "../process/packageVersion.ts"
import { CommandContext } from "./commandContext.ts"
import { backupCommand } from "./commands/backup.ts"
import { contextCommand } from "./commands/context.ts"
import { eventsCommand, logsCommand } from "./commands/feeds.ts"
import { listCommand, reportCommand, resultCommand, statusCommand } from "./commands/jobs.ts"
import { cleanCommand, deleteCommand } from "./commands/removal.ts"
import { healthCommand, infoCommand } from "./commands/manager.ts"
import { openCommand } from "./commands/open.ts"
import { retryCommand } from "./commands/retry.ts"
import { runCommand } from "./commands/run.ts"
import { serveCommand } from "./commands/serve.ts"
import { stopCommand } from "./commands/stop.ts"
import { submitCommand } from "./commands/submit.ts"
import { waitCommand } from "./commands/wait.ts"
import type { Refusal } from "./refusal.ts"
import { watchCommand } from "./commands/watch.ts"

const command = Command.make("autostop").pipe(
  Command.withDescription("Runs jobs, and stops everything that they have started"),
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
    waitCommand,
    retryCommand,
    reportCommand,
    resultCommand,
    deleteCommand,
    cleanCommand,
    openCommand,
    infoCommand,
    healthCommand,
    backupCommand,
    contextCommand
  ])
)

/** Connects an isolated job with its parent process, which answers the signals and prints the report. */
export interface Isolation {
  readonly listen: (owner: ProcessOwner) => void
  readonly observe: (run: Run) => void
}

/**
 * Runs the command line as the owner of this process. `releaseSignals` removes the listeners that answer signals until
 * then.
 */
export const main = (args: ReadonlyArray<string>, releaseSignals: () => void, isolation?: Isolation): void => {
  runOwned((owner) => {
    isolation?.listen(owner)
    const context = { exitCode: 0, owner, args, isIsolated: isolation !== undefined }
    const program = Command.runWith(command, { version })(args).pipe(
      Effect.as(0),
      Effect.catch((error) =>
        Effect.sync(() => {
          printUsageError(textOf(error))
          return 2
        })
      ),
      Effect.map((usage) => usage === 0 ? context.exitCode : usage),
      Effect.provideService(CommandContext, context),
      Effect.provideService(CliOutput.Presenter, presenter),
      Effect.provide(NodeServices.layer),
      Effect.catchCause((cause) =>
        Effect.sync(() => {
          if (owner.signal === undefined) process.stderr.write(`autostop: ${causeStack(cause)}\n`)
          return 1
        })
      )
    )
    return isolation === undefined ? program : Effect.provideService(program, RunObserver, isolation.observe)
  }, { deadlineMs: configuredDeadline, ownsHandles: true })
  releaseSignals()
}

/** Prints help. Help that nobody asked for goes to stderr, because a shell may read an id from stdout. */
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

/** Returns the errors of a command, a line each, without the help. */
const textOf = (error: CliError.CliError | Refusal): string => {
  if (error._tag !== "ShowHelp") return error.message
  const help = `see "${error.commandPath.join(" ")} --help"`
  const { errors } = error
  return errors.length === 0
    ? `a command is missing; ${help}`
    : [...errors.map(({ message }) => oneLine(message)), help].join("\n")
}
