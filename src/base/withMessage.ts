import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { messageOf } from "./errorText.ts"

/**
 * Runs code of others. Fails with an error made of a message, whether that code throws where it makes its effect, or the
 * effect fails or dies.
 */
export const withMessage = <A, E, R, E2>(
  effect: () => Effect.Effect<A, E, R>,
  error: (message: string) => E2
): Effect.Effect<A, E2, R> =>
  Effect.catchCause(Effect.suspend(effect), (cause) =>
    // safe: an interrupt is no failure
    Cause.hasInterruptsOnly(cause)
      ? Effect.failCause(cause as Cause.Cause<never>)
      : Effect.fail(error(messageOf(Cause.squash(cause)))))
