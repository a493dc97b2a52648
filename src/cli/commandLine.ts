import * as Context from "effect/Context"
import type { ProcessOwner } from "../process/processOwner.ts"

/** What a command finds of the process it runs in, and where it leaves its exit code. */
export class CommandLine extends Context.Service<CommandLine, {
  readonly owner: ProcessOwner
  readonly args: ReadonlyArray<string>
  /** True in the process of an isolated job, whose parent process prints the report. */
  readonly isIsolated: boolean
  exitCode: number
}>()("autostop/cli/CommandLine") {}
