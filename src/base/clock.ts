import * as Clock from "effect/Clock"
import * as Context from "effect/Context"

const realClock = Context.get(Context.empty(), Clock.Clock)

/**
 * Milliseconds that only go forward, for durations and limits. Where the time is real it is read as Node has it:
 * services are many, and a bigint for each of their times is dear.
 */
export const now = (clock: Clock.Clock): number =>
  clock === realClock ? performance.now() : Number(clock.monotonicTimeNanosUnsafe()) / 1_000_000

/** Milliseconds between two `now`s, to the microsecond. */
export const between = (since: number, until: number): number =>
  Math.max(0, Math.round((until - since) * 1_000) / 1_000)

/** Milliseconds since a `now`, to the microsecond. */
export const elapsed = (clock: Clock.Clock, since: number): number => between(since, now(clock))

let read: { readonly clock: Clock.Clock; readonly at: number; readonly iso: string } | undefined

/** The wall clock as ISO 8601 at a `now`. It is read once a millisecond, however many things happen within it. */
export const isoAt = (clock: Clock.Clock, at: number): string => {
  if (read === undefined || read.clock !== clock || at < read.at || at >= read.at + 1) {
    read = { clock, at, iso: new Date(clock.currentTimeMillisUnsafe()).toISOString() }
  }
  return read.iso
}

/** The wall clock as ISO 8601. */
export const isoNow = (clock: Clock.Clock): string => isoAt(clock, now(clock))
