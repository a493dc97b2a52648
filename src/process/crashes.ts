import { isInstance } from "../base/valueText.ts"
import { keepListening, type Listener } from "./keepListening.ts"
import { ExitCalled, type SelfExit, takeOverExit } from "./selfExit.ts"

/** A way in which the code of a process, or of a thread, ends it: nothing caught an error, or it called `process.exit`. */
export interface Crash {
  /** The event, for people. */
  readonly what: string
  readonly error: unknown
  /** The exit code that it asks for. */
  readonly code: number
}

/** The events and signals that a process answers besides; a thread gets no signals. */
export interface CrashOptions {
  readonly listeners?: Iterable<readonly [event: string, listener: Listener]>
  readonly kill?: SelfExit["kill"]
}

/**
 * Calls back at each crash of this process or thread, which goes on: its exit follows once everything has stopped. Code that
 * calls `process.exit` gets an `ExitCalled`, which is the error of the crash. Returns a function that exits in the end.
 */
export const onCrash = (
  crashed: (crash: Crash) => void,
  { kill = () => false, listeners = [] }: CrashOptions = {}
): (code: number) => never => {
  const uncaught = (what: string) => (error: unknown) => {
    // it is thrown by the call of `process.exit`, which has called back already
    if (!isInstance(error, ExitCalled)) crashed({ what, error, code: 1 })
  }
  const ignore = keepListening(
    new Map([
      ...listeners,
      ["uncaughtException", uncaught("an uncaught exception")],
      ["unhandledRejection", uncaught("an unhandled rejection")]
    ])
  )
  const exit = takeOverExit({
    exit: (code) => {
      const error = new ExitCalled(`process.exit(${code}) was called`)
      crashed({ what: error.message, error, code })
      throw error
    },
    kill
  })
  return (code) => {
    ignore()
    return exit(code)
  }
}
