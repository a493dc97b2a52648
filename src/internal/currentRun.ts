import * as Context from "effect/Context"
import type { Notice } from "./notice.ts"
import type { Registry } from "./registry.ts"
import type { Stages } from "./stages.ts"

/** What services and pipelines find of the job they are part of. */
export interface RunContext {
  readonly registry: Registry
  readonly stages: Stages
  /** Opens when the stop begins. */
  readonly stopping: Notice
}

export const CurrentRun = Context.Reference<RunContext | undefined>("autostop/CurrentRun", {
  defaultValue: () => undefined
})
