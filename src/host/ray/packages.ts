import { readdirSync, readFileSync, realpathSync, statSync } from "node:fs"
import { join, relative, resolve } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import { hostPy } from "../entryPoints.ts"
import type { RayApi } from "./api.ts"
import { type Entry, zip } from "./archive.ts"

type RuntimeEnv = Readonly<Record<string, unknown>>

/** Ray's own limit of what is uploaded. */
const mostBytes = 500 * 1_024 * 1_024

/** As many as an archive can have. */
const mostFiles = 65_535

/** The `runtime_env` with what it names of this machine uploaded, and the Python part of a host besides. */
export const packages = async (api: RayApi, runtimeEnv: RuntimeEnv): Promise<RuntimeEnv> => {
  const host = await api.upload(zip([["autostop_host.py", readFileSync(hostPy)]]))
  const folder = folderOf(runtimeEnv)
  if (folder !== undefined && runtimeEnv["excludes"] !== undefined) {
    throw new Error(
      "excludes of runtime_env is of no use here: working_dir is uploaded as it is, so name a folder without them"
    )
  }
  const modules: unknown = runtimeEnv["py_modules"]
  return {
    ...runtimeEnv,
    py_modules: [...(Array.isArray(modules) ? modules : []), host],
    ...(folder === undefined ? {} : { working_dir: await api.upload(zip(filesIn(folder))) })
  }
}

/** The folder on this machine that is to be the working directory over there. */
const folderOf = (runtimeEnv: RuntimeEnv): string | undefined => {
  const folder: unknown = runtimeEnv["working_dir"]
  return typeof folder === "string" && !/^[a-z][a-z0-9+.-]*:\/\//.test(folder) ? resolve(folder) : undefined
}

const filesIn = (folder: string): ReadonlyArray<Entry> => {
  const entries: Array<Entry> = []
  let size = 0
  for (const path of pathsIn(folder)) {
    const file = join(folder, path)
    size += statSync(file).size
    if (size > mostBytes) {
      throw new Error(`the working_dir ${folder} is larger than the ${mostBytes / 1_024 / 1_024} MiB that Ray takes`)
    }
    entries.push([path, readFileSync(file)])
    if (entries.length > mostFiles) throw new Error(`the working_dir ${folder} has more than ${mostFiles} files`)
  }
  return entries
}

/** The paths of its files, in order. Links are followed, other than those that lead back to where they are in. */
function* pathsIn(folder: string, path = "", above: ReadonlyArray<string> = []): Generator<string> {
  const here = join(folder, path)
  const real = realpathSync(here)
  if (above.includes(real)) return
  for (const name of readdirSync(here).toSorted()) {
    const found = join(path, name)
    const stat = statSync(join(folder, found), { throwIfNoEntry: false })
    if (stat?.isDirectory() === true) yield* pathsIn(folder, found, [...above, real])
    else if (stat?.isFile() === true) yield found
  }
}

/** A file where the hosts run: that of a folder which is uploaded is in their working directory, others are where they are. */
export const clusterPath = (url: string, runtimeEnv: RuntimeEnv): string => {
  const folder = folderOf(runtimeEnv)
  const path = fileURLToPath(url)
  if (folder === undefined) return path
  const within = relative(folder, path)
  return within.startsWith("..") ? path : within
}

/** The same, as what `import` takes: a module in the working directory begins with a dot. */
export const clusterModule = (module: string, runtimeEnv: RuntimeEnv): string => {
  if (!module.startsWith("file:")) return module
  const path = clusterPath(module, runtimeEnv)
  const { hash, search } = new URL(module)
  return (path.startsWith("/") ? pathToFileURL(path).href : `./${path}`) + search + hash
}
