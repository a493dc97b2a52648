/** What code that somebody has uploaded may do: Node's permission model, with what a job needs and what was allowed. */
import { realpathSync } from "node:fs"
import { createRequire } from "node:module"
import { fileURLToPath } from "node:url"
import { entryPoint } from "../../process/entryPoints.ts"

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

const bundleHooks = entryPoint(import.meta.url, "./bundleHooks")

const root = fileURLToPath(new URL("../../..", import.meta.url))

/** The outermost folder of packages that a file is in. */
const packagesOf = (file: string): ReadonlyArray<string> => /^.*?\/node_modules(?=\/)/.exec(file) ?? []

/** This package, and what it depends on, where those really are: beside it, in it, or linked from elsewhere. */
const own = [
  ...new Set([
    root,
    ...packagesOf(root),
    ...packagesOf(realpathSync(createRequire(root).resolve("effect/package.json")))
  ])
]

/** The arguments of Node for such code, and for the hosts that it starts; it may write these files too. */
export const nodeArgs = (
  confinement: Confinement | undefined,
  writable: ReadonlyArray<string> = []
): ReadonlyArray<string> => {
  if (confinement === undefined) return []
  const { folder, processes, read, write } = confinement
  return [
    `--import=${bundleHooks.href}`,
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
