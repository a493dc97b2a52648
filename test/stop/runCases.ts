/** Runs the stop cases somewhere, and keeps what each of them saw. */
import { describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import { Case } from "./case.ts"
import { stopCases, Where } from "./cases.ts"

/** The names of all cases. */
export const caseNames = Object.values(stopCases).flatMap((cases) => Object.keys(cases))

/** Defines a test for each case. Returns what the cases saw, once they have run. */
export const runCases = (place: string, where: Layer.Layer<Where>): ReadonlyMap<string, unknown> => {
  const seen = new Map<string, unknown>()
  describe.concurrent(`in an environment that is ${place}, with`, () => {
    layer(where, { excludeTestServices: true })((it) => {
      for (const [about, cases] of Object.entries(stopCases)) {
        describe(about, () => {
          for (const [name, body] of Object.entries(cases)) {
            it.effect(name, () =>
              Effect.gen(function*() {
                const at = yield* Effect.acquireRelease(Effect.sync(() => new Case()), (at) =>
                  Effect.sync(() => at.close()))
                const { environment } = yield* Where
                yield* Effect.provide(body(at), environment, { local: true })
                seen.set(name, at.seen)
              }).pipe(Effect.scoped))
          }
        })
      }
    })
  })
  return seen
}
