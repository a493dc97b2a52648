import * as Clock from "effect/Clock"
import * as Context from "effect/Context"

/** The clock of the system, whatever clock a fiber has. */
export const realClock = Context.get(Context.empty(), Clock.Clock)

/**
 * Monotonic milliseconds, for durations and limits. The real time is read as Node has it, because there may be many
 * services, and a bigint for each of their times is expensive.
 */
export const now = (clock: Clock.Clock): number =>
  clock === realClock ? performance.now() : Number(clock.monotonicTimeNanosUnsafe()) / 1_000_000

/** Milliseconds between two `now`s, to the microsecond. */
export const between = (since: number, until: number): number =>
  Math.max(0, Math.round((until - since) * 1_000) / 1_000)

/** Milliseconds since a `now`, to the microsecond. */
export const elapsed = (clock: Clock.Clock, since: number): number => between(since, now(clock))

let read: { readonly clock: Clock.Clock; readonly at: number; readonly iso: string } | undefined

/** The wall clock as ISO 8601 at a `now`. It is read at most once a millisecond. */
export const isoAt = (clock: Clock.Clock, at: number): string => {
  if (read === undefined || read.clock !== clock || at < read.at || at >= read.at + 1) {
    read = { clock, at, iso: new Date(clock.currentTimeMillisUnsafe()).toISOString() }
  }
  return read.iso
}

/** The wall clock as ISO 8601. */
export const isoNow = (clock: Clock.Clock): string => isoAt(clock, now(clock))
