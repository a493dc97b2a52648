import { randomUUID } from "node:crypto"

/**
 * The variable with the mark of whoever owns a process. All processes that it starts inherit it, and theirs: what is left
 * of them is found by it, also where their parents have ended. An owner within another one adds its own part to the mark,
 * `outer/inner`, so that the outer one finds all and the inner one what is its own.
 */
export const markVariable = "AUTOSTOP_OWNER"

/** The mark of a process that outlives its owner on purpose. */
export const withoutOwner = "none"

/** The kind of an owner, as its part of a mark tells it. */
export type OwnerKind =
  /** A process that stops what it has started before it ends. */
  | { readonly pid: number }
  /** A process that ends by itself when its own owner does, and stops what it has started. */
  | "linked"
  /** A thread, whose process stops what it leaves behind. */
  | "thread"

/** The mark of a new owner beneath that of an environment. */
export const newMark = (env: NodeJS.ProcessEnv, kind: OwnerKind): string => {
  const outer = env[markVariable]
  const suffix = kind === "thread" ? "" : kind === "linked" ? linkedSuffix : `.${kind.pid}`
  const part = `${randomUUID().slice(0, 13)}${suffix}`
  return outer === undefined || outer === "" || outer === withoutOwner ? part : `${outer}/${part}`
}

const linkedSuffix = "+"

/** Returns true if a process is not to be ended with its owner. */
export const isFree = (mark: string | undefined): boolean => mark === withoutOwner

/** Returns true if the mark is the owner's, or that of an owner within it. */
export const isWithin = (mark: string, owner: string): boolean => mark === owner || mark.startsWith(`${owner}/`)

/** Returns true if an owner within this one ends by itself, with what carries the mark. */
export const isLinkedWithin = (mark: string, owner: string): boolean =>
  partsWithin(mark, owner).some((part) => part.endsWith(linkedSuffix))

/** The ids of the processes within an owner that stop what carries the mark before they end. */
export const ownersWithin = (mark: string, owner: string): ReadonlyArray<number> =>
  partsWithin(mark, owner).flatMap((part) => {
    const pid = /\.(\d+)$/.exec(part)?.[1]
    return pid === undefined ? [] : [Number(pid)]
  })

/** Returns true if the mark is that of the process with this id, or of an owner within it. */
export const isOfProcess = (mark: string, pid: number): boolean =>
  mark.split("/").some((part) => part.endsWith(`.${pid}`))

const partsWithin = (mark: string, owner: string): ReadonlyArray<string> =>
  isWithin(mark, owner) ? mark.slice(owner.length).split("/") : []
