import * as Context from "effect/Context"
import type { StageCounters } from "./stageCounters.ts"

/** The counters of the job that a fiber belongs to. */
export const CurrentStages = Context.Reference<StageCounters | undefined>("autostop/CurrentStages", {
  defaultValue: () => undefined
})
