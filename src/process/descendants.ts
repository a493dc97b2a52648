import { isFree, isWithin, markVariable, ownersWithin } from "./ownerMark.ts"
import { commandOf, listProcesses, type ProcessEntry, variableOf } from "./processTable.ts"

/** Whose descendants are looked for. */
export interface Ancestor {
  /** Its mark, which its descendants carry. */
  readonly mark: string
  /** No process that began before this time is a descendant. */
  readonly since: number
  /** Returns true for a process that it has started itself, whatever mark that carries. */
  readonly isChild: (entry: ProcessEntry) => boolean
  /** Returns true for a process that nobody but itself ends, with what it has started. */
  readonly isSpared: (entry: ProcessEntry, mark: string | undefined) => boolean
}

/** A process that was started by another one, or by its descendants. */
export interface Descendant extends ProcessEntry {
  readonly command: string
  /** The processes between the two that end it by themselves, while they run. */
  readonly owners: ReadonlyArray<number>
}

/**
 * Finds the descendants that run, from `/proc`: those that carry the mark, whoever their parents are, the children of those,
 * and the groups and sessions that they lead. A process without the mark whose ancestors have ended cannot be found.
 * Without `/proc` none can.
 */
export const findDescendants = ({ isChild, isSpared, mark, since }: Ancestor): Array<Descendant> => {
  const found = new Map<number, Descendant>()
  let others: Array<ProcessEntry> = []
  for (const entry of listProcesses()) {
    if (entry.start < since || entry.pid === process.pid) continue
    const its = variableOf(entry.pid, markVariable)
    if (isFree(its) || isSpared(entry, its)) continue
    const carries = its !== undefined && isWithin(its, mark)
    if (carries || isChild(entry)) found.set(entry.pid, descendant(entry, carries ? ownersWithin(its, mark) : []))
    else others.push(entry)
  }
  const originOf = ({ group, parent, session }: ProcessEntry): Descendant | undefined =>
    found.get(parent) ?? leads(found.get(group), "group") ?? leads(found.get(session), "session")
  for (let before = -1; before !== found.size;) {
    before = found.size
    others = others.filter((entry) => {
      const origin = originOf(entry)
      if (origin !== undefined) found.set(entry.pid, descendant(entry, origin.owners))
      return origin === undefined
    })
  }
  return [...found.values()].toSorted((a, b) => a.start - b.start || a.pid - b.pid)
}

const leads = (entry: Descendant | undefined, of: "group" | "session"): Descendant | undefined =>
  entry?.[of] === entry?.pid ? entry : undefined

const descendant = (entry: ProcessEntry, owners: ReadonlyArray<number>): Descendant => ({
  ...entry,
  command: commandOf(entry.pid),
  owners: owners.filter((pid) => pid !== entry.pid)
})
