import * as Context from "effect/Context"
import type { OneShotLatch } from "../../base/oneShotLatch.ts"
import type { WorkUnits } from "./workUnits.ts"

/** The run that a fiber belongs to, as user code may see it. */
export interface RunContext {
  /** Opens when the stop begins. */
  readonly stopping: OneShotLatch
  /** The units of work, which a drain waits for. */
  readonly units: WorkUnits
}

export const CurrentRun = Context.Reference<RunContext | undefined>("autostop/CurrentRun", {
  defaultValue: () => undefined
})
