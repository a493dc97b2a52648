import * as Effect from "effect/Effect"
import { measureLateness } from "./lateness.ts"

/** How long something took: in all, and without the time that the machine was late meanwhile. */
export interface Timed<A> {
  readonly value: A
  readonly ms: number
  readonly punctualMs: number
}

/** Measures how long something takes, and beside it how late the machine is. */
export const timed = <A>(wait: () => Promise<A>): Promise<Timed<A>> =>
  Effect.runPromise(Effect.scoped(Effect.gen(function*() {
    const lateness = yield* measureLateness
    const since = performance.now()
    const value = yield* Effect.promise(wait)
    const ms = performance.now() - since
    return { value, ms, punctualMs: ms - (yield* lateness) }
  })))
