import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { messageOf } from "../../base/errorText.ts"

/** A request that a cluster refused or that did not reach it, or a part of it that failed. Its message is for people. */
export class RayError extends Data.TaggedError("RayError")<{ readonly message: string }> {
  static of(message: string): RayError {
    return new RayError({ message })
  }
}

/** Passes the reason of any failure on, that of a defect included. */
export const onFailure = (
  effect: Effect.Effect<void, RayError>,
  onFailed: (why: string) => void
): Effect.Effect<void> =>
  effect.pipe(
    Effect.catch(({ message }) => Effect.sync(() => onFailed(message))),
    Effect.catchDefect((defect) => Effect.sync(() => onFailed(messageOf(defect))))
  )
