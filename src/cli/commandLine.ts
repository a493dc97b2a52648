import * as Context from "effect/Context"
import type { Owner } from "../process/processOwner.ts"

/** What a command finds of the process it runs in, and where it leaves its exit code. */
export class CommandLine extends Context.Service<CommandLine, {
  readonly owner: Owner
  readonly args: ReadonlyArray<string>
  /** Whether a supervisor is told what happens, and reports. */
  readonly isSupervised: boolean
  exitCode: number
}>()("autostop/cli/CommandLine") {}
