import * as Effect from "effect/Effect"
import { readdirSync, readFileSync, realpathSync, statSync } from "node:fs"
import { join, relative, resolve } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import { messageOf } from "../../base/errorText.ts"
import { hostPy } from "../entryPoints.ts"
import type { RayApi } from "./rayApi.ts"
import { RayError } from "./rayError.ts"
import { type Entry, zip } from "./zipArchive.ts"

type RuntimeEnv = Readonly<Record<string, unknown>>

/** Ray's own limit of an upload. */
const mostBytes = 500 * 1_024 * 1_024

/** The number of files that an archive can have. */
const mostFiles = 65_535

/** Uploads the folder that a `runtime_env` names, and the Python part of a host; returns the `runtime_env` with both. */
export const uploadRuntimeEnv = (
  api: Pick<RayApi, "upload">,
  runtimeEnv: RuntimeEnv
): Effect.Effect<RuntimeEnv, RayError> =>
  Effect.gen(function*() {
    const host = yield* upload(api, () => [["autostop_host.py", readFileSync(hostPy)]])
    const folder = folderOf(runtimeEnv)
    if (folder !== undefined && runtimeEnv["excludes"] !== undefined) {
      return yield* RayError.of(
        "excludes of runtime_env is of no use here: the whole working_dir is uploaded; name a folder without those files"
      )
    }
    const modules: unknown = runtimeEnv["py_modules"]
    return {
      ...runtimeEnv,
      py_modules: [...(Array.isArray(modules) ? modules : []), host],
      ...(folder === undefined ? {} : { working_dir: yield* upload(api, () => filesIn(folder)) })
    }
  })

/** Uploads files as an archive. Fails if they cannot be read. */
const upload = (
  api: Pick<RayApi, "upload">,
  entries: () => ReadonlyArray<Entry>
): Effect.Effect<string, RayError> =>
  Effect.flatMap(
    Effect.try({ try: () => zip(entries()), catch: (error) => RayError.of(messageOf(error)) }),
    (archive) => api.upload(archive)
  )

/** The folder on this machine that becomes the working directory of the hosts. */
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

/** The paths of the files in a folder, in order. Links are followed, unless they lead to a folder that they lie in. */
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

/** The path of a file where the hosts run: relative to their working directory if that is uploaded and contains it. */
export const clusterPath = (url: string, runtimeEnv: RuntimeEnv): string => {
  const folder = folderOf(runtimeEnv)
  const path = fileURLToPath(url)
  if (folder === undefined) return path
  const within = relative(folder, path)
  return within.startsWith("..") ? path : within
}

/** The URL of a module where the hosts run, or its path from their working directory, which begins with `./`. */
export const clusterModule = (module: string, runtimeEnv: RuntimeEnv): string => {
  if (!module.startsWith("file:")) return module
  const path = clusterPath(module, runtimeEnv)
  const { hash, search } = new URL(module)
  return (path.startsWith("/") ? pathToFileURL(path).href : `./${path}`) + search + hash
}
