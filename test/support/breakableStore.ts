import * as Effect from "effect/Effect"
import { StoreError } from "../../src/manager/errors.ts"
import type { JobStore } from "../../src/manager/JobStore.ts"

/** A store whose every operation fails while it is away. */
export const breakable = (real: JobStore["Service"], isAway: () => boolean): JobStore["Service"] => {
  const away = new StoreError({ operation: "any", message: "the store is away" })
  const guarded = <A>(effect: Effect.Effect<A, StoreError>): Effect.Effect<A, StoreError> =>
    Effect.suspend(() => isAway() ? Effect.fail(away) : effect)
  return Object.fromEntries(
    Object.entries(real).map(([name, member]) => [
      name,
      typeof member === "function"
        // safe: each operation of a store returns an effect that may fail so
        ? (...args: ReadonlyArray<never>) =>
          guarded((member as (...args: ReadonlyArray<never>) => Effect.Effect<unknown, StoreError>)(...args))
        : guarded(member as Effect.Effect<unknown, StoreError>)
    ])
  ) as unknown as JobStore["Service"]
}
