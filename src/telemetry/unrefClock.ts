import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { realClock } from "../base/clock.ts"
import { startTimer } from "../process/timers.ts"

/** The clock of the system, whose timers keep no process alive: a program has not left the exporters of autostop behind. */
export const unrefClock: Clock.Clock = {
  currentTimeMillisUnsafe: () => realClock.currentTimeMillisUnsafe(),
  currentTimeMillis: realClock.currentTimeMillis,
  currentTimeNanosUnsafe: () => realClock.currentTimeNanosUnsafe(),
  currentTimeNanos: realClock.currentTimeNanos,
  monotonicTimeNanosUnsafe: () => realClock.monotonicTimeNanosUnsafe(),
  monotonicTimeNanos: realClock.monotonicTimeNanos,
  sleep: (duration) =>
    Effect.callback((resume) => {
      const cancel = startTimer(Duration.toMillis(duration), () => resume(Effect.void), { keepsAlive: false })
      return Effect.sync(cancel)
    })
}
