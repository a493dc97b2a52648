import * as Effect from "effect/Effect"
import { Refusal } from "../refusal.ts"

/** Says what is known of a job whose submit was not answered. */
export const unknownState = (id: string): string =>
  `job ${id} may have been submitted or not; run "autostop status ${id}" to find out`

/** Fails with what is known of the job if the connection was lost before the answer came. */
export const refusedIfLost =
  (id: string) => <A, E, R>(submit: Effect.Effect<A, E, R>): Effect.Effect<A, E | Refusal, R> =>
    Effect.catch(submit, (error) =>
      Effect.gen(function*() {
        const { obstacle } = yield* Effect.promise(() => import("../../manager/client/apiClient.ts"))
        return yield* Effect.fail(
          obstacle(error) === "lost"
            ? new Refusal({ message: `the connection was lost: ${unknownState(id)}` })
            : error
        )
      }))
