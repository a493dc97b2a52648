import * as Context from "effect/Context"
import type { Run } from "./run.ts"

/**
 * Called with each new run before it starts: the process of a job reports on its run to its parent. Jobs within another
 * job do not call it.
 */
export const RunObserver = Context.Reference<(run: Run) => void>("autostop/RunObserver", {
  defaultValue: () => () => {}
})
