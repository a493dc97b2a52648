/** A time from which on something is meant: a time in ISO 8601, or how long ago that was. */
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import { parseDuration } from "../base/durationInput.ts"

/** The form of such a time, for people. */
export const sinceForm = "a duration such as \"12h\" or \"7d\", or a time in ISO 8601 such as \"2026-01-31T08:00:00Z\""

/** A text without a zone would mean another time at each place. */
const iso = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/

/** Returns the time as `Date` writes it, because times are compared as texts. Returns `undefined` for other texts. */
export const readSince = (text: string, nowMs: number): string | undefined => {
  if (iso.test(text)) {
    const ms = Date.parse(text)
    return Number.isNaN(ms) || ms < 0 ? undefined : new Date(ms).toISOString()
  }
  const ago = parseDuration(text)
  // nothing is older than 1970, and no date as old as a duration may be
  return ago === undefined ? undefined : new Date(Math.max(0, nowMs - Duration.toMillis(ago))).toISOString()
}

/** The parameter of a request. */
export const Since = Schema.String.check(
  Schema.makeFilter((text) => readSince(text, 0) !== undefined, { expected: sinceForm })
)
