import { readdirSync, readFileSync } from "node:fs"

/** A process as `/proc` lists it. It is known by its id and its start: the id alone may be given to another process. */
export interface ProcessEntry {
  readonly pid: number
  readonly state: string
  readonly parent: number
  readonly group: number
  readonly session: number
  /** The time at which it began, in ticks since the machine did. */
  readonly start: number
}

/** Reads a process. One that does not exist, or a system without `/proc`, has none. */
export const readProcess = (pid: number | string): ProcessEntry | undefined => {
  const fields = statFields(pid)
  if (fields === undefined) return undefined
  const [state = "", parent, group, session] = fields
  return {
    pid: Number(pid),
    state,
    parent: Number(parent),
    group: Number(group),
    session: Number(session),
    start: Number(fields[19])
  }
}

/** The fields of `stat` from the state on, which is the third one: a name before it may have spaces and parentheses. */
const statFields = (pid: number | string): ReadonlyArray<string> | undefined => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1")
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")
  } catch {
    return undefined
  }
}

/** Returns true if the process has not ended. A zombie has: its parent has only not asked how. */
export const isLiving = (entry: ProcessEntry | undefined): entry is ProcessEntry =>
  entry !== undefined && entry.state !== "Z" && entry.state !== "X"

/** Returns true while this very process runs, and not another one with its id. */
export const isStill = ({ pid, start }: ProcessEntry): boolean => {
  const now = readProcess(pid)
  return isLiving(now) && now.start === start
}

/** All processes that run. Without `/proc` there are none. */
export const listProcesses = (): Array<ProcessEntry> => {
  try {
    return readdirSync("/proc")
      .flatMap((name) => /^\d+$/.test(name) ? [readProcess(name)] : [])
      .filter(isLiving)
  } catch {
    return []
  }
}

/** The value of a variable in the environment with which a process began. Nobody may read that of another user's process. */
export const variableOf = (pid: number, name: string): string | undefined => {
  try {
    const environ = readFileSync(`/proc/${pid}/environ`)
    const key = Buffer.from(`${name}=`)
    let at = environ.indexOf(key)
    while (at > 0 && environ[at - 1] !== 0) at = environ.indexOf(key, at + 1)
    if (at < 0) return undefined
    const end = environ.indexOf(0, at)
    return environ.toString("utf8", at + key.length, end < 0 ? environ.length : end)
  } catch {
    return undefined
  }
}

/** The command line of a process. */
export const commandOf = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").join(" ").trim()
  } catch {
    return ""
  }
}

/** The ids of the children that a thread has started, by its path in `/proc`; `undefined` if the system does not list them. */
export const childrenOf = (task: string): ReadonlyArray<number> | undefined => {
  try {
    return readFileSync(`/proc/${task}/children`, "latin1").split(" ").filter((pid) => pid.trim() !== "").map(Number)
  } catch {
    return undefined
  }
}

/** The ids of all children of this process; `undefined` if the system does not list them. */
export const ownChildren = (): ReadonlyArray<number> | undefined => {
  try {
    const lists = readdirSync("/proc/self/task").map((task) => childrenOf(`self/task/${task}`))
    const known = lists.filter((list) => list !== undefined)
    return known.length === 0 ? undefined : known.flat()
  } catch {
    return undefined
  }
}

/**
 * Counts what the children of this process that have ended have cost it, in page faults: it grows with each of them, whoever
 * has started it. `undefined` if the system does not count.
 */
export const endedChildren = (): number | undefined => {
  const fields = statFields("self")
  const [own = 0, ofMinor = 0, , ofMajor = 0] = fields?.slice(7, 11).map(Number) ?? []
  // each process has some of its own
  return own > 0 ? ofMinor + ofMajor : undefined
}
