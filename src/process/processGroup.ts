import { readdirSync, readFileSync } from "node:fs"

/** How a kill went. */
export interface Killed {
  /** Whether it was seen that nothing of it is left. */
  readonly gone: boolean
  readonly how: string
  readonly durationMs: number
}

/** Sends a signal to a process, or to a whole group by its negative id. Whether there was anybody to get it. */
export const signal = (pid: number, name: NodeJS.Signals | 0): boolean => {
  try {
    return process.kill(pid, name)
  } catch {
    return false
  }
}

/** Whether anything of a process group still runs. */
export const isGroupAlive = (group: number): boolean => signal(-group, 0) && !onlyZombies(group)

/** One that has ended and that nobody has waited for still gets signals. Where there is no `/proc` nobody can tell. */
const onlyZombies = (group: number): boolean => {
  try {
    return readdirSync("/proc").every((entry) => {
      if (!/^\d+$/.test(entry)) return true
      const [state, of] = statOf(entry)
      return of !== group || state === "Z" || state === "X"
    })
  } catch {
    return false
  }
}

/** The state of a process and its group, from `/proc`; no state where there is no such process. */
export const statOf = (pid: number | string): [state: string | undefined, group: number] => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
    const [state, , group] = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
    return [state, Number(group)]
  } catch {
    return [undefined, 0]
  }
}

/** How often it is looked whether something that was killed is gone. */
const pollMs = 5

/** Waits until it is so, or the time is up. */
export const until = async (isSo: () => boolean, limitMs: number): Promise<boolean> => {
  const end = performance.now() + limitMs
  while (!isSo()) {
    if (performance.now() >= end) return false
    await new Promise((resolve) => setTimeout(resolve, pollMs))
  }
  return true
}

/** How long a group may take to end at a SIGTERM: its host has had its whole limit before. */
const politeMs = 100

/** SIGTERM, SIGKILL soon after, and a look at whether any process of the group is left. */
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
