import * as Effect from "effect/Effect"
import type { SubmitOptions } from "../../Environment.ts"
import { parseAutostop } from "../../internal/run/autostop.ts"
import type { PolicyError } from "../../StopPolicy.ts"
import type { WireAutostop } from "../models.ts"

/** The `autostop` of a submit, as it is sent. One that never comes to pass is no limit. */
export const wireAutostop = (input: SubmitOptions["autostop"]): Effect.Effect<WireAutostop, PolicyError> =>
  Effect.map(parseAutostop(input), (autostop) => {
    if (autostop._tag === "end" || autostop._tag === "never") return autostop._tag === "end"
    if (autostop.ms === Infinity) return true
    return autostop._tag === "idle" ? { idle: autostop.ms } : { after: autostop.ms }
  })
