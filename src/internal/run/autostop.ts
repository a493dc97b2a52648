import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { SubmitOptions } from "../../Environment.ts"
import { PolicyError } from "../../StopPolicy.ts"
import { parseDuration } from "../../base/durationInput.ts"
import { attempt } from "../../base/valueText.ts"

/** The condition under which a job stops by itself; durations in milliseconds. */
export type Autostop =
  | { readonly _tag: "end" }
  | { readonly _tag: "never" }
  | { readonly _tag: "idle"; readonly ms: number }
  | { readonly _tag: "after"; readonly ms: number }

/** Reads the `autostop` of a submit. */
export const parseAutostop = (input: SubmitOptions["autostop"]): Effect.Effect<Autostop, PolicyError> => {
  if (input === undefined || input === true) return Effect.succeed({ _tag: "end" })
  if (input === false) return Effect.succeed({ _tag: "never" })
  const expected = "true, false, { idle: duration } or { after: duration }"
  if (typeof input !== "object" || input === null) return Effect.fail(PolicyError.of("autostop", input, expected))
  const entries = attempt((): ReadonlyArray<readonly [string, unknown]> => Object.entries(input)) ?? []
  const [entry] = entries
  if (entry === undefined || entries.length !== 1 || (entry[0] !== "idle" && entry[0] !== "after")) {
    return Effect.fail(PolicyError.of("autostop", input, expected))
  }
  const duration = parseDuration(entry[1])
  return duration === undefined || Duration.isZero(duration)
    ? Effect.fail(PolicyError.of(`autostop.${entry[0]}`, entry[1], "a duration of more than zero"))
    : Effect.succeed({ _tag: entry[0], ms: Duration.toMillis(duration) })
}
