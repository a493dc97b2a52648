/**
 * The modules of this package and of Effect, as the build bundled them into few files (`scripts/prebundle.ts`): most of the
 * time of a process was the loading of some 330 files. A process that uses them has one Effect, whatever its modules
 * import. Where there are none, or they were made of other versions, the plain files do the same.
 */
import { existsSync, mkdirSync, readFileSync, statSync } from "node:fs"
import { createRequire, enableCompileCache, registerHooks } from "node:module"
import { homedir } from "node:os"
import { join } from "node:path"

/** What `contents.json` says. */
interface Contents {
  /** The version of each package whose modules were bundled. */
  readonly versions: Readonly<Record<string, string>>
  /** The modules, each as its package and its path in it, such as `effect/Schema`. */
  readonly modules: ReadonlyArray<string>
}

/** A module of a package. */
interface Module {
  /** The package and the path in it. */
  readonly name: string
  readonly packageName: string
  /** The URL of the package's folder. */
  readonly root: string
}

const ownName = "autostop"
const root = new URL("../../", import.meta.url).href
const folder = `${root}dist/prebundle/`

/**
 * Lets V8 keep what it makes of modules, in a folder that nobody else can write: it runs what it finds there. The folder may be
 * another user's, as with `sudo`; then nothing is kept.
 */
export const keepCompiled = (): void => {
  const cache = join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), ownName, "node")
  try {
    mkdirSync(cache, { recursive: true, mode: 0o700 })
    const { mode, uid } = statSync(cache)
    if (uid === process.getuid?.() && (mode & 0o022) === 0) enableCompileCache(cache)
  } catch {
    // a home that cannot be written keeps nothing
  }
}

/**
 * Has all imports of a bundled module, also those of users, resolve to the bundle. Returns the URL that a program of this
 * package is loaded from.
 */
export const linkPrebundle = (program: string): string => {
  const contents = isLoadingHooked() ? undefined : usableContents()
  if (contents === undefined) return program
  const find = finder(contents)
  registerHooks({
    resolve: (specifier, context, next) => {
      const resolved = next(specifier, context)
      const url = find(resolved.url)
      return url === undefined ? resolved : { url, format: "module", shortCircuit: true }
    }
  })
  return find(program) ?? program
}

/**
 * Returns the URL of the command line for commands that run no code of users: it has its own part of Effect, of whatever version
 * that of the user is.
 */
export const commandsUrl = (): string | undefined => {
  const url = `${folder}commands/main.js`
  return existsSync(new URL(url)) ? url : undefined
}

/**
 * Returns true if somebody else has a hand in how this process loads modules, such as tsx or an instrumentation: they are to see
 * the plain files. What this package adds itself is not meant.
 */
const isLoadingHooked = (): boolean => {
  const args = [...process.execArgv, ...(process.env["NODE_OPTIONS"] ?? "").split(/\s+/)]
  return args.some((arg, i) => {
    const hook = /^--(?:import|loader|experimental-loader)(?:=(.*))?$/.exec(arg)
    return hook !== null && !(hook[1] ?? args[i + 1] ?? "").startsWith(root)
  })
}

/** Returns what finds the place of a module in the bundle, if the bundle has this version of it. */
const finder = ({ modules, versions }: Contents): (url: string) => string | undefined => {
  const bundled = new Set(modules)
  /** Whether a package has the version that was bundled, by its folder. */
  const areSame = new Map<string, boolean>()
  return (url) => {
    const module = moduleOf(url)
    if (module === undefined || !bundled.has(module.name)) return undefined
    const isSame = areSame.get(module.root) ?? versionOf(module.root) === versions[module.packageName]
    areSame.set(module.root, isSame)
    return isSame ? `${folder}modules/${module.name}.js` : undefined
  }
}

const ownFile = /^(?:dist|src)\/(.+)\.[jt]s$/
const packageFile = /^(file:.*\/node_modules\/(effect|autostop|@effect\/platform-node(?:-shared)?)\/)dist\/(.+)\.js$/

const moduleOf = (url: string): Module | undefined => {
  if (url.startsWith(root)) {
    const own = ownFile.exec(url.slice(root.length))
    if (own !== null) return { name: `${ownName}/${own[1]}`, packageName: ownName, root }
  }
  const [, place, packageName, path] = packageFile.exec(url) ?? []
  return place === undefined || packageName === undefined
    ? undefined
    : { name: `${packageName}/${path}`, packageName, root: place }
}

const read = (url: string) => JSON.parse(readFileSync(new URL(url), "utf8"))

const versionOf = (root: string): string => read(`${root}package.json`).version

/**
 * Returns the contents, unless they were made of another version of a package than the one that this package has beside it. One
 * that is not there, as in a folder that brings only what a program needs, is no other version.
 */
const usableContents = (): Contents | undefined => {
  const file = `${folder}contents.json`
  if (!existsSync(new URL(file))) return undefined
  const contents: Contents = read(file)
  const isUsable = ["effect", "@effect/platform-node"].every((name) => {
    const version = versionBeside(name)
    return version === undefined || version === contents.versions[name]
  })
  return isUsable ? contents : undefined
}

/** Returns the version of a package that this one would import, if there is one. */
const versionBeside = (name: string): string | undefined => {
  try {
    return createRequire(import.meta.url)(`${name}/package.json`).version
  } catch {
    return undefined
  }
}
