import * as Context from "effect/Context"
import type { OneShotLatch } from "../../base/oneShotLatch.ts"
import type { Registry } from "../service/serviceRegistry.ts"
import type { Stages } from "../pipeline/stageCounters.ts"

/** What services and pipelines find of the job they are part of. */
export interface RunContext {
  readonly registry: Registry
  readonly stages: Stages
  /** Opens when the stop begins. */
  readonly stopping: OneShotLatch
}

export const CurrentRun = Context.Reference<RunContext | undefined>("autostop/CurrentRun", {
  defaultValue: () => undefined
})
