import * as Effect from "effect/Effect"
import type { SubmitOptions } from "../../Environment.ts"
import { parseAutostop } from "../../internal/run/autostop.ts"
import type { PolicyError } from "../../StopPolicy.ts"
import type { AutostopSetting } from "../models.ts"

/** Encodes the `autostop` of a submit. An infinite time is sent as `true`, which stops when `run` ends. */
export const encodeAutostop = (input: SubmitOptions["autostop"]): Effect.Effect<AutostopSetting, PolicyError> =>
  Effect.map(parseAutostop(input), (autostop) => {
    if (autostop._tag === "end" || autostop._tag === "never") return autostop._tag === "end"
    if (autostop.ms === Infinity) return true
    return autostop._tag === "idle" ? { idle: autostop.ms } : { after: autostop.ms }
  })
