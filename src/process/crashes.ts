import { isInstance } from "../base/valueText.ts"
import { keepListening } from "./keepListening.ts"
import { ExitCalled, takeOverExit } from "./selfExit.ts"

/** A way in which the code of a thread ends it: nothing caught an error, or it called `process.exit`. */
export interface Crash {
  /** What happened, for people. */
  readonly what: string
  readonly error: unknown
  /** The exit code that it asks for. */
  readonly code: number
}

/**
 * Calls back at each crash of this thread, which goes on: its exit follows once everything has stopped. Code that calls
 * `process.exit` gets an `ExitCalled`. Returns a function that exits in the end.
 */
export const onCrash = (crashed: (crash: Crash) => void): (code: number) => never => {
  const uncaught = (what: string) => (error: unknown) => {
    // it is thrown by the call of `process.exit`, which has called back already
    if (!isInstance(error, ExitCalled)) crashed({ what, error, code: 1 })
  }
  const ignore = keepListening(
    new Map([
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
    // a thread gets no signals, and one to its process is for that to answer
    kill: () => false
  })
  return (code) => {
    ignore()
    return exit(code)
  }
}
