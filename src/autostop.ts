/**
 * Runs a program as the owner of its process.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { SubmitError } from "./Environment.ts"
import { configuredDeadline } from "./internal/policy/configuredDeadline.ts"
import { runOwned } from "./process/runOwned.ts"
import { PolicyError } from "./StopPolicy.ts"

/**
 * Runs a program to its end and exits.
 *
 * *Details*: the first SIGINT, SIGTERM, SIGHUP or SIGQUIT stops the jobs that run, and interrupts the program once they
 * have stopped; the second one stops them without waiting. An uncaught exception, an unhandled rejection and a call of
 * `process.exit` stop them as well. All output is flushed.
 *
 * Exit codes: 0 the program succeeded; 1 it failed; 2 a setting is wrong, nothing was started; 3 a job did not stop
 * clean, or the deadline passed; 129, 130, 131, 143 for the signals.
 *
 * @category running
 * @since 0.1.0
 */
export const runMain = <A, E>(program: Effect.Effect<A, E>): void => {
  runOwned((owner) =>
    Effect.matchCause(program, {
      onSuccess: () => 0,
      onFailure: (cause) => {
        const error = Cause.squash(cause)
        if (error instanceof PolicyError || error instanceof SubmitError) {
          process.stderr.write(`${error.message}\n`)
          return 2
        }
        if (owner.signal === undefined && !Cause.hasInterruptsOnly(cause)) {
          process.stderr.write(`${Cause.pretty(cause)}\n`)
        }
        return 1
      }
    }), { deadlineMs: configuredDeadline, ownsHandles: false })
}
