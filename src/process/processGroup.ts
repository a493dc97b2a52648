import { listProcesses, readProcess } from "./processTable.ts"

/** The result of a kill. */
export interface Killed {
  /** True if no process of the group was found after the kill. */
  readonly gone: boolean
  /** The way in which it ended: by a signal, or by itself before that. */
  readonly how: string
  readonly durationMs: number
}

/** Sends a signal to a process, or to a group by its negative id. Returns false if there is no such process. */
export const signal = (pid: number, name: NodeJS.Signals | 0): boolean => {
  try {
    // to the system, 0 is its own group, and -1 every process that there is
    return Number.isSafeInteger(pid) && Math.abs(pid) > 1 && process.kill(pid, name)
  } catch {
    return false
  }
}

/** Returns true while a process of the group runs. */
export const isGroupAlive = (group: number): boolean => signal(-group, 0) && !onlyZombies(group)

/** A process that has ended can be signalled until its parent has waited for it. Without `/proc` it looks alive. */
const onlyZombies = (group: number): boolean =>
  readProcess("self") !== undefined && !listProcesses().some((entry) => entry.group === group)

/** The state of a process and its group, from `/proc`. A process that does not exist has no state. */
export const statOf = (pid: number | string): [state: string | undefined, group: number] => {
  const entry = readProcess(pid)
  return [entry?.state, entry?.group ?? 0]
}

/** The interval of the checks whether a process is gone. */
const pollMs = 5

/** Waits until the condition holds, or the time is up. Returns true if it holds. */
export const until = async (holds: () => boolean, limitMs: number): Promise<boolean> => {
  const end = performance.now() + limitMs
  while (!holds()) {
    if (performance.now() >= end) return false
    await new Promise((resolve) => setTimeout(resolve, pollMs))
  }
  return true
}

/** The time that a group has to end at a SIGTERM. It has had its whole limit before. */
const politeMs = 100

/** Ends a process group by SIGTERM and, soon after, by SIGKILL, and checks that it is gone. */
export const killGroup = async (group: number, limitMs: number): Promise<Killed> => {
  const since = performance.now()
  const killed = (gone: boolean, how: string): Killed => ({ gone, how, durationMs: performance.now() - since })
  const isGone = () => !isGroupAlive(group)
  if (isGone()) return killed(true, "it was gone")
  signal(-group, "SIGTERM")
  if (await until(isGone, Math.min(politeMs, limitMs / 2))) return killed(true, "SIGTERM")
  signal(-group, "SIGKILL")
  return killed(await until(isGone, Math.max(politeMs, limitMs - (performance.now() - since))), "SIGKILL")
}
