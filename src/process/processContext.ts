import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { Leftover } from "../StopReport.ts"
import type { Run } from "../internal/run/run.ts"

/** What the owner of a process, the command line or `runMain`, gives to the jobs that run in it. */
export interface ProcessHost {
  /** What jobs have left behind in the operating system. */
  readonly leftovers: Effect.Effect<ReadonlyArray<Leftover>>
  /** Passes signals on to a run. Returns how to stop that. */
  readonly shutdown: { readonly attach: (run: Run) => () => void } | undefined
}

/** In a process that is not ours there are no signals to pass on, and its handles are not the job's. */
export const Host = Context.Reference<ProcessHost>("autostop/ProcessHost", {
  defaultValue: () => ({ leftovers: Effect.succeed([]), shutdown: undefined })
})
