/** What code that somebody has uploaded may do: Node's permission model, with what a job needs and what was allowed. */
import { fileURLToPath } from "node:url"
import { entries } from "../internal/entry.ts"

/** What uploaded code may do besides running. */
export interface Allowed {
  /** The files and folders that it may read, besides its own. */
  readonly read: ReadonlyArray<string>
  readonly write: ReadonlyArray<string>
  /** Whether it may start processes. They are not confined. */
  readonly processes: boolean
}

export interface Confinement extends Allowed {
  /** Where it is. */
  readonly folder: string
}

const root = fileURLToPath(new URL("../..", import.meta.url))

/** This package, and what it depends on: beside it where it was installed, or in it. */
const own = [root, `${root}node_modules`, ...(/^.*?\/node_modules(?=\/)/.exec(root) ?? [])]

/** The arguments of Node for such code, and for the hosts that it starts; it may write these files too. */
export const nodeArgs = (
  confinement: Confinement | undefined,
  writable: ReadonlyArray<string> = []
): ReadonlyArray<string> => {
  if (confinement === undefined) return []
  const { folder, processes, read, write } = confinement
  return [
    `--import=${entries.bundleHooks.href}`,
    "--permission",
    // its end is watched by a thread
    "--allow-worker",
    "--disable-warning=PERM0006",
    ...(processes ? ["--allow-child-process", "--disable-warning=PERM0004"] : []),
    // what is renamed is read too
    ...[folder, ...own, ...read, ...writable].map((path) => `--allow-fs-read=${path}`),
    ...[...write, ...writable].map((path) => `--allow-fs-write=${path}`)
  ]
}
