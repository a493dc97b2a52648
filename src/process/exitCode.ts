import { type Signal, signalCode } from "./signals.ts"

/** The exit code of a process whose stop left something behind, or did not end in time. */
export const uncleanCode = 3

/** The exit code of a wait that has reached its time limit, as that of timeout(1). */
const timeoutCode = 124

/** All that is known when a process ends. */
export interface Ending {
  /** False if a task left something behind. */
  readonly isClean: boolean
  /** The first signal that asked for the end. */
  readonly signal?: Signal | undefined
  /** True if what the program waited for had not ended within a limit that its user gave. */
  readonly isTimedOut?: boolean
  /** The code of a crash that brought the end about: 1 for an error that was not caught, or the argument of `process.exit`. */
  readonly crash?: number | undefined
  /** `process.exitCode` as user code has set it, or the argument of a `process.exit` that was called during a stop. */
  readonly user?: number | undefined
  /** The code of the program itself. */
  readonly own: number
  /** False if output that was to be written could not be. */
  readonly isWritten?: boolean
}

/**
 * Decides the exit code of a process: the worst of what is known. The first line that holds wins:
 *
 * | What has happened | Exit code |
 * |---|---|
 * | something was not released, was killed or is left over | 3 |
 * | a signal asked for the end | 128 and its number: 129 SIGHUP, 130 SIGINT, 131 SIGQUIT, 143 SIGTERM, … |
 * | a wait (`autostop wait --timeout`) has reached its time limit | 124 |
 * | an error was not caught | 1 |
 * | user code called `process.exit(n)`, which began the stop | n, if it is not 0 |
 * | user code set `process.exitCode = n`, or called `process.exit(n)` during the stop | n, if it is not 0 |
 * | user code called `process.exit(0)`, which began the stop | 0 |
 * | the program has ended by itself | its own: 0 succeeded, 1 failed or was cancelled, 2 wrong usage, nothing was started |
 *
 * Where that is 0 and output could not be written, it is 1. A process that gives up waiting (see `ownerState.ts`) exits
 * with 3 at once.
 */
export const exitCode = (ending: Ending): number => {
  const code = codeOf(ending)
  return code === 0 && ending.isWritten === false ? 1 : code
}

const codeOf = ({ crash, isClean, isTimedOut, own, signal, user }: Ending): number => {
  if (!isClean) return uncleanCode
  if (signal !== undefined) return signalCode(signal)
  if (isTimedOut === true) return timeoutCode
  return crash || user || (crash ?? own)
}
