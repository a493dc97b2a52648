/** Confines uploaded code with Node's permission model to what a job needs and what the manager allows. */
import { realpathSync } from "node:fs"
import { createRequire } from "node:module"
import { fileURLToPath } from "node:url"
import { entryPoint } from "../../process/entryPoints.ts"
import type { Confinement } from "../JobProcess.ts"

/** Resolves autostop and Effect in the code of a bundle. */
export const bundleHooks = entryPoint(import.meta.url, "./bundleHooks")

/** Closes what the permission model leaves open. */
const confinedCode = entryPoint(import.meta.url, "./confinedCode")

/** The signal that opens Node's debugger would give all that a process has to whoever may send it. */
const noDebugger = "--disable-sigusr1"

const root = fileURLToPath(new URL("../../..", import.meta.url))

/** Returns the outermost `node_modules` folder that a file is in. */
const packagesOf = (file: string): ReadonlyArray<string> => /^.*?\/node_modules(?=\/)/.exec(file) ?? []

/** The real folders of this package and its dependencies, which may be beside it, in it, or linked. */
const own = [
  ...new Set([
    root,
    ...packagesOf(root),
    ...packagesOf(realpathSync(createRequire(root).resolve("effect/package.json")))
  ])
]

/** Returns the arguments of Node for the code of a job. Those for uploaded code also hold for the hosts that it
 * starts; it may write these files. */
export const nodeArgs = (
  confinement: Confinement | undefined,
  writable: ReadonlyArray<string> = []
): ReadonlyArray<string> => {
  if (confinement === undefined) return [noDebugger]
  const { folder, processes, read, write } = confinement
  return [
    noDebugger,
    // a database is a file that the permission model does not see
    "--no-experimental-sqlite",
    `--import=${confinedCode.href}`,
    `--import=${bundleHooks.href}`,
    "--permission",
    // its services may live in threads
    "--allow-worker",
    "--disable-warning=PERM0006",
    ...(processes ? ["--allow-child-process", "--disable-warning=PERM0004"] : []),
    // a rename needs read access
    ...[folder, ...own, ...read, ...writable].map((path) => `--allow-fs-read=${path}`),
    ...[...write, ...writable].map((path) => `--allow-fs-write=${path}`)
  ]
}
