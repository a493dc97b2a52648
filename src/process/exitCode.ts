import { type Signal, signalCodes } from "./signals.ts"

/** The exit code of a process whose stop left something behind, or did not end in time. */
export const uncleanCode = 3

/** What is known when a process ends. */
export interface Ending {
  /** False if a task left something behind. */
  readonly isClean: boolean
  /** The first signal that asked for the end. */
  readonly signal?: Signal | undefined
  /** The code of the crash: 1 for an error that was not caught, or the argument of `process.exit`. */
  readonly crash?: number | undefined
  /** The code of the program itself. */
  readonly own: number
}

/**
 * Decides the exit code of a process. The first line that holds wins:
 *
 * | What has happened | Exit code |
 * |---|---|
 * | something was not released, was killed or is left over | 3 |
 * | a signal asked for the end | 129 SIGHUP, 130 SIGINT, 131 SIGQUIT, 143 SIGTERM |
 * | an error was not caught | 1 |
 * | user code called `process.exit(n)` | n |
 * | the program has ended by itself | its own: 0 succeeded, 1 failed or was cancelled, 2 wrong usage, nothing was started |
 *
 * A process that gives up waiting (see `ownerState.ts`) exits with 3 at once.
 */
export const exitCode = ({ crash, isClean, own, signal }: Ending): number => {
  if (!isClean) return uncleanCode
  if (signal !== undefined) return signalCodes[signal]
  return crash ?? own
}
