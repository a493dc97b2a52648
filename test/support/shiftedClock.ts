import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

/** A wall clock that is moved while the time goes on as it does. */
export const shifted = (clock: Clock.Clock, shiftMs: () => number): Clock.Clock => {
  const millis = () => clock.currentTimeMillisUnsafe() + shiftMs()
  const nanos = () => clock.currentTimeNanosUnsafe() + BigInt(shiftMs()) * 1_000_000n
  return {
    currentTimeMillisUnsafe: millis,
    currentTimeMillis: Effect.sync(millis),
    currentTimeNanosUnsafe: nanos,
    currentTimeNanos: Effect.sync(nanos),
    monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe(),
    monotonicTimeNanos: clock.monotonicTimeNanos,
    sleep: (duration) => clock.sleep(duration)
  }
}
