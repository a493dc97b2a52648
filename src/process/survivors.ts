import type { ChildProcess } from "node:child_process"
import { subscribe } from "node:diagnostics_channel"
import { signal } from "./processGroup.ts"
import { isStill, listProcesses, type ProcessEntry } from "./processTable.ts"

/**
 * The processes of a group whose leader this thread had started, as they were when the leader ended. They may have been
 * started without the environment of this process, and have no parent any more.
 */
let survivors: ReadonlyArray<ProcessEntry> = []

/** Notes from now on which processes survive those that this thread starts. */
export const watchSurvivors = (): void => {
  subscribe("child_process", (message) => {
    // safe: this is what Node sends on this channel
    const { process: child } = message as { readonly process: ChildProcess }
    child.once("exit", () => {
      const { pid } = child
      if (pid === undefined || !signal(-pid, 0)) return
      survivors = [...survivors.filter(isStill), ...listProcesses().filter(({ group }) => group === pid)]
    })
  })
}

/** Returns true if this very process has survived the leader of its group. */
export const isSurvivor = ({ pid, start }: ProcessEntry): boolean =>
  survivors.some((entry) => entry.pid === pid && entry.start === start)
