/**
 * Runs a program as the owner of its process: it answers the signals and the uncaught errors, and sets the exit code.
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
 * Runs a program to its end, and exits.
 *
 * **When to use**
 *
 * As the last statement of a program that runs jobs. A library must not call it, because it takes the process over.
 *
 * **Details**
 *
 * The first SIGINT, SIGTERM, SIGHUP or SIGQUIT stops the jobs by their own policies, and interrupts the program once they
 * have stopped. A second signal stops the jobs without waiting, a third one exits at once. An uncaught exception, an
 * unhandled rejection and a call of `process.exit` stop the jobs as well. A stop that takes longer than its deadline ends
 * with the process: the deadline is the longest of the jobs that run and, while none runs, `AUTOSTOP_DEADLINE`, 25
 * seconds by default. The process exits once its output has been read.
 *
 * | What has happened; the first line that holds wins | Exit code |
 * |---|---|
 * | a job did not stop clean, or the deadline has passed | 3 |
 * | a signal stopped the program: SIGHUP, SIGINT, SIGQUIT, SIGTERM | 129, 130, 131, 143 |
 * | the program called `process.exit(n)` | n |
 * | nobody caught an error | 1 |
 * | the program failed because a setting is wrong, or because a submit was refused | 2 |
 * | the program failed otherwise | 1 |
 * | the program succeeded | 0 |
 *
 * **Gotchas**
 *
 * `process.exit` throws, and the process exits later: code after the call does not run, but finalizers do.
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
