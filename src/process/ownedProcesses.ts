import { type Ancestor, type Descendant, findDescendants } from "./descendants.ts"
import { endDescendants, type Ended, killAll } from "./endDescendants.ts"
import type { Patience } from "./processContext.ts"
import { isLinkedWithin, isOfProcess, isWithin, markVariable, newMark } from "./ownerMark.ts"
import {
  childrenOf,
  endedChildren,
  isLiving,
  ownChildren,
  type ProcessEntry,
  readProcess,
  variableOf
} from "./processTable.ts"
import { isSurvivor, watchSurvivors } from "./survivors.ts"

/** The processes that somebody has started, and those that these have started, as far as they run. */
export interface OwnedProcesses {
  readonly find: () => ReadonlyArray<Descendant>
  /** Ends them, and returns each with what became of it. */
  readonly end: (patience: Patience) => Promise<ReadonlyArray<Ended>>
  /** Kills them, without a check of what follows. Returns those that it found. */
  readonly kill: () => ReadonlyArray<Descendant>
}

const owned = (find: () => ReadonlyArray<Descendant>): OwnedProcesses => ({
  find,
  end: (patience) => endDescendants(find, patience),
  kill: () => {
    const found = find()
    killAll(found)
    return found
  }
})

/** The marks of processes that end by themselves when this one does, with all that they have started. */
const linked = new Set<string>()

/** Leaves what carries the mark to the process that has it, until that process has ended. Returns how to say so. */
export const linkOwner = (mark: string): () => void => {
  linked.add(mark)
  return () => void linked.delete(mark)
}

const isLinked = (mark: string): boolean => [...linked].some((owner) => isWithin(mark, owner))

const idOf = ({ pid, start }: ProcessEntry): string => `${pid} ${start}`

/** Marks what this process starts from now on, and returns it. */
export const ownProcesses = (): OwnedProcesses => {
  const mark = newMark(process.env, { pid: process.pid })
  process.env[markVariable] = mark
  watchSurvivors()
  const children = (ownChildren() ?? []).map(readProcess).filter(isLiving)
  const before = new Set(children.map(idOf))
  const endedBefore = endedChildren()
  const ancestor: Ancestor = {
    mark,
    since: startOf(process.pid),
    isChild: (entry) => entry.parent === process.pid || isSurvivor(entry),
    isSpared: (entry, its) => before.has(idOf(entry)) || (its !== undefined && isLinked(its))
  }
  /** Returns true if it is certain that nothing was started: the search reads the environment of all processes. */
  const isAlone = () =>
    endedBefore !== undefined && endedChildren() === endedBefore &&
    ownChildren()?.every((pid) => children.some((child) => child.pid === pid)) === true
  return owned(() => isAlone() ? [] : findDescendants(ancestor))
}

/** Returns what this thread starts. Its environment has a mark of its own. */
export const threadProcesses = (): OwnedProcesses => {
  watchSurvivors()
  return markedProcesses(process.env[markVariable] ?? newMark({}, "thread"), () => childrenOf("thread-self"))
}

/** Returns what a thread of this process starts. `children` are those that the system says are its own. */
export const markedProcesses = (mark: string, children: () => ReadonlyArray<number> | undefined): OwnedProcesses => {
  const since = startOf(process.pid)
  return owned(() => {
    const pids = children() ?? []
    return findDescendants({
      mark,
      since,
      isChild: (entry) => pids.includes(entry.pid) || isSurvivor(entry),
      isSpared: (_, its) => its !== undefined && isLinked(its)
    })
  })
}

/**
 * Returns what a child process starts, which was given the mark and leads a group. It is not among them itself; owners within
 * it that end by themselves are if `all` is true.
 */
export const childProcesses = (pid: number, mark: string, { all }: { readonly all: boolean }): OwnedProcesses => {
  const since = startOf(pid)
  return owned(() =>
    findDescendants({
      mark,
      since,
      isChild: ({ group, parent }) => group === pid || parent === pid,
      isSpared: (entry, its) => entry.pid === pid || (!all && its !== undefined && isLinkedWithin(its, mark))
    })
  )
}

/**
 * Returns what a process has left behind that has ended, led a group and was an owner. If the system has given its id away, it
 * has no group left, and what carries the id may be that of the other process.
 */
export const leftBehindBy = ({ pid, start }: Pick<ProcessEntry, "pid" | "start">): OwnedProcesses =>
  owned(() =>
    isLiving(readProcess(pid)) ? [] : findDescendants({
      mark: noMark,
      since: start,
      isChild: (entry) => entry.group === pid || isOfProcess(variableOf(entry.pid, markVariable) ?? "", pid),
      isSpared: () => false
    })
  )

/** A mark that no process has: what is looked for is known otherwise. */
const noMark = "-"

const startOf = (pid: number): number => readProcess(pid)?.start ?? 0
