import * as Context from "effect/Context"
import type { ProcessOwner } from "../process/processOwner.ts"

/** The process of a command: its owner, its arguments, and the exit code that it sets. */
export class CommandContext extends Context.Service<CommandContext, {
  readonly owner: ProcessOwner
  readonly args: ReadonlyArray<string>
  /** True in the process of an isolated job, whose parent process prints the report. */
  readonly isIsolated: boolean
  exitCode: number
}>()("autostop/cli/CommandContext") {}
