import type * as Clock from "effect/Clock"

/** Milliseconds that only go forward, for durations and limits. */
export const now = (clock: Clock.Clock): number => Number(clock.monotonicTimeNanosUnsafe()) / 1_000_000

/** Milliseconds since a `now`, to the microsecond. */
export const elapsed = (clock: Clock.Clock, since: number): number =>
  Math.max(0, Math.round((now(clock) - since) * 1_000) / 1_000)

let lastMillis = Number.NaN
let lastIso = ""

/** The wall clock as ISO 8601; the text is kept for the rest of its millisecond. */
export const isoNow = (clock: Clock.Clock): string => {
  const millis = clock.currentTimeMillisUnsafe()
  if (millis !== lastMillis) {
    lastMillis = millis
    lastIso = new Date(millis).toISOString()
  }
  return lastIso
}
