import * as Effect from "effect/Effect"
import { withMessage } from "../../base/withMessage.ts"

/**
 * Encodes or decodes the payload of a job, as `code` does it. A job without a payload, or with one of optional fields, may be
 * submitted without one. Fails with a message for people if the payload does not fit.
 */
export const fitPayload = <A, E, R>(
  job: { readonly name: string },
  payload: unknown,
  code: (payload: unknown) => Effect.Effect<A, E, R>
): Effect.Effect<A, string, R> =>
  withMessage(
    () => payload === undefined ? Effect.catch(code(undefined), () => code({})) : code(payload),
    (message) => `the payload of "${job.name}" does not fit its Schema: ${message}`
  )
