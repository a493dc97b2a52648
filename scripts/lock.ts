/**
 * Completes package-lock.json with the packages for other platforms. npm leaves out those that its registry does not have, as a mirror
 * may, and `npm ci` then refuses the lock everywhere.
 *
 * Usage: `node scripts/lock.ts [--check] [FILE]`; with `--check` it writes nothing and exits with 1 if the lock is not complete.
 */
import { readFileSync, writeFileSync } from "node:fs"
import { parseArgs } from "node:util"

interface Entry {
  readonly version?: string
  readonly resolved?: string
  readonly dev?: boolean
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

interface Lock {
  readonly packages: Readonly<Record<string, Entry>>
}

/** The folders in which Node looks for a package that the package in `folder` imports, the nearest first. */
const lookups = (folder: string): ReadonlyArray<string> =>
  folder === "" ? ["node_modules/"] : [
    `${folder}/node_modules/`,
    ...lookups(folder.replace(/(^|\/)node_modules\/(@[^/]+\/)?[^/]+$/, ""))
  ]

/** Returns what npm would have written: `dprint-linux-arm64-musl` says for which system, processor and C library it is. */
const platformOf = (name: string) => {
  const match =
    /[-/](aix|android|darwin|freebsd|linux|netbsd|openbsd|openharmony|sunos|win32)-([^-]+)(?:-(glibc|gnu|musl))?/.exec(
      name
    )
  const [, os, cpu, libc] = match ?? []
  if (os === undefined || cpu === undefined) {
    throw new Error(`${name}: the name does not say which platform the package is for`)
  }
  return { cpu: [cpu], ...libc && { libc: [libc === "gnu" ? "glibc" : libc] }, os: [os] }
}

const { positionals: [file = "package-lock.json"], values } = parseArgs({
  allowPositionals: true,
  options: { check: { type: "boolean", default: false } }
})
const lock: Lock = JSON.parse(readFileSync(file, "utf8"))

const missing = Object.entries(lock.packages).flatMap(([folder, { dev, optionalDependencies = {} }]) =>
  Object.entries(optionalDependencies)
    .filter(([name]) => !lookups(folder).some((path) => `${path}${name}` in lock.packages))
    .map(([name, version]) =>
      [`node_modules/${name}`, { version, ...platformOf(name), ...dev && { dev }, optional: true }] as const
    )
)
const hosts = Object.entries(lock.packages).filter(([, { resolved }]) => resolved !== undefined)

for (const [folder] of hosts) {
  console.error(`${folder}: the lock names a registry; npm leaves it out where .npmrc says so`)
}
if (values.check) {
  for (const [folder, { version }] of missing) {
    console.error(`${folder}: version ${version} is missing; run npm run lock`)
  }
} else if (missing.length > 0) {
  const [root, ...others] = Object.entries(lock.packages)
  const sorted = [...others, ...missing].toSorted(([a], [b]) => a.localeCompare(b, "en"))
  writeFileSync(
    file,
    `${JSON.stringify({ ...lock, packages: Object.fromEntries([root ?? ["", {}], ...sorted]) }, null, 2)}\n`
  )
}
console.error(`${file}: ${missing.length} packages for other platforms ${values.check ? "are missing" : "added"}`)
process.exitCode = hosts.length > 0 || (values.check && missing.length > 0) ? 1 : 0
