/**
 * Bundles the modules of this package, and those of Effect that they import, into few files: most of the time of a process
 * was the loading of some 330 files. Each module keeps a file of its own, which exports what the bundle has of it, so that
 * all who import it share one. `src/process/prebundle.ts` is what uses them.
 *
 * Usage: `node scripts/prebundle.ts`, after the rest of a build.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { join, relative } from "node:path"
import { fileURLToPath } from "node:url"
import { type InputOptions, type Plugin, rolldown } from "rolldown"

const dist = fileURLToPath(new URL("../dist/", import.meta.url))
const folder = `${dist}prebundle/`
const effect = createRequire(import.meta.url).resolve("effect")

/** The programs of processes. Nothing else may load them, because they begin at once. */
const programs = [
  "cli/isolatedMain",
  "host/transport/processMain",
  "manager/process/inspectorMain",
  "manager/process/jobMain"
]

/** The programs that begin before they load what is large, or without it: each of them is one file. */
const smallPrograms = ["host/transport/threadMain", "process/watchdogMain"]

/** What each process of a job loads is one file. The rest is a file for each set of these that needs it. */
const always = [
  "index",
  ...programs.filter((name) => !name.startsWith("cli/")),
  "manager/process/runJob",
  "host/transport/threadHost"
]
const sometimes: Readonly<Record<string, string>> = {
  effect,
  testing: `${dist}testing.js`,
  cli: `${dist}cli/main.js`,
  client: `${dist}manager/client/remoteEnvironment.js`,
  manager: `${dist}manager/managerLayer.js`
}

const own = (name: string): string => `${dist}${name}.js`

/** The name of a module by its file: its package, and its path there. */
const nameOf = (file: string): string | undefined => {
  if (file.startsWith(dist)) return `autostop/${file.slice(dist.length, -3)}`
  const [, packageName, path] = /\/node_modules\/((?:@effect\/)?[^/@]+)\/dist\/(.+)\.js$/.exec(file) ?? []
  return packageName === undefined ? undefined : `${packageName}/${path}`
}

const plugin: Plugin = {
  name: "autostop:prebundle",
  load: (id) => {
    if (!id.endsWith("/platform-node/dist/Undici.js")) return null
    // what a CommonJS module exports is known when it runs, and a bundle has to name it
    const names = Object.keys(createRequire(id)("undici")).filter((name) =>
      /^[A-Za-z]\w*$/.test(name) && name !== "default"
    )
    return `import Undici from "undici"\nexport default Undici\nexport const { ${names.join(", ")} } = Undici`
  },
  // a module keeps its own address, from which it finds its files and the programs that it starts
  transform: (code, id) =>
    code.includes("import.meta.url")
      ? `const moduleUrl__ = new URL(${JSON.stringify(relative(folder, id))}, bundleUrl__).href\n${code}`
      : null
}

const common: InputOptions = {
  cwd: dist,
  platform: "node",
  // these are loaded where they are needed, and have files of their own
  external: ["rolldown", /^@effect\/sql-pg/],
  experimental: { attachDebugInfo: "none" },
  transform: { define: { "import.meta.url": "moduleUrl__" } },
  onLog: (level, log) => {
    if (level === "warn" && log.code === "UNRESOLVED_IMPORT") throw new Error(log.message)
  }
}

/** Names and lines stay, for the stacks of errors. */
const readable = { mangle: false, compress: true, codegen: false }

/** The declaration of the URL of the bundle, for a file of this name in it. */
const bundleUrl = (name: string): string =>
  `const bundleUrl__ = new URL(".${"/..".repeat(name.split("/").length - 1)}/", import.meta.url).href`

/** Returns the modules that each module imports at once. */
const readImports = async (): Promise<ReadonlyMap<string, ReadonlyArray<string>>> => {
  const imports = new Map<string, ReadonlyArray<string>>()
  const reader: Plugin = {
    name: "autostop:imports",
    buildEnd() {
      for (const id of this.getModuleIds()) imports.set(id, this.getModuleInfo(id)?.importedIds ?? [])
    }
  }
  const input = [...[...always, ...programs].map(own), ...Object.values(sometimes)]
  const build = await rolldown({ ...common, input, treeshake: false, plugins: [plugin, reader] })
  await build.generate()
  await build.close()
  return imports
}

const imports = await readImports()

const importedBy = (...files: ReadonlyArray<string>): ReadonlySet<string> => {
  const found = new Set(files)
  for (const file of found) for (const imported of imports.get(file) ?? []) found.add(imported)
  return found
}

/** The name of the file that a module goes to; `undefined` for a file of its own. */
const fileOf = (() => {
  const kept = new Set(programs.map(own))
  const core = importedBy(...always.map(own))
  const rest = Object.entries(sometimes).map(([name, file]) => ({ name, files: importedBy(file) }))
  return (id: string): string | null => {
    if (kept.has(id)) return null
    if (core.has(id)) return "core"
    const names = rest.filter(({ files }) => files.has(id)).map(({ name }) => name)
    return names.length === 0 ? null : names.join("-")
  }
})()

const modules = new Map([...imports.keys()].flatMap((file) => {
  const name = nameOf(file)
  return name === undefined ? [] : [[name, file] as const]
}))

rmSync(folder, { recursive: true, force: true })
const build = await rolldown({
  ...common,
  input: Object.fromEntries([...modules].map(([name, file]) => [`modules/${name}`, file])),
  preserveEntrySignatures: "allow-extension",
  plugins: [plugin]
})
const { output } = await build.write({
  dir: folder,
  format: "esm",
  entryFileNames: "[name].js",
  chunkFileNames: "[name]-[hash].js",
  banner: ({ moduleIds, name }) => moduleIds.length === 0 ? "" : bundleUrl(name),
  codeSplitting: { includeDependenciesRecursively: false, groups: [{ name: fileOf, debugName: "by who needs it" }] },
  minify: readable,
  comments: { legal: false, annotation: false, jsdoc: false }
})
await build.close()

for (const name of smallPrograms) {
  const small = await rolldown({
    ...common,
    input: own(name),
    plugins: [plugin, {
      name: "autostop:later",
      resolveId: (id, _, { kind }) => kind === "dynamic-import" ? { id, external: true } : null
    }]
  })
  const file = `${folder}modules/autostop/${name}.js`
  await small.write({
    file,
    format: "esm",
    banner: bundleUrl(`modules/autostop/${name}`)
  })
  await small.close()
  modules.set(`autostop/${name}`, own(name))
}

/** The command line for commands that run no code of users: of Effect it has only what they use. */
const commands = await rolldown({
  ...common,
  input: { main: own("cli/main") },
  plugins: [{
    name: "autostop:commands",
    load: (id) => {
      if (id === own("cli/commands/runManager")) return "export const runManager = undefined"
      return id === own("cli/pagedRun") ? "export const runPaged = undefined" : null
    }
  }, plugin]
})
await commands.write({
  dir: `${folder}commands/`,
  format: "esm",
  chunkFileNames: "[name]-[hash].js",
  banner: bundleUrl("commands/main"),
  minify: readable
})
await commands.close()

const packages = new Map<string, { readonly folder: string; readonly version: string; readonly license: string }>()
for (const file of output.flatMap((file) => file.type === "chunk" ? file.moduleIds : [])) {
  const [folder, name] = /^.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file) ?? []
  if (folder === undefined || name === undefined || packages.has(name)) continue
  packages.set(name, { folder, ...JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) })
}
const { version } = JSON.parse(readFileSync(join(dist, "../package.json"), "utf8"))
const versions = Object.fromEntries([
  ["autostop", version],
  ...[...packages].map(([name, { version }]) => [name, version])
])
writeFileSync(`${folder}contents.json`, JSON.stringify({ versions, modules: [...modules.keys()] }))

/** The licences of the packages whose code is in the bundle. */
const licences = [...packages].toSorted(([a], [b]) => a < b ? -1 : 1).map(([name, { folder, license, version }]) => {
  const file = readdirSync(folder).find((file) => /^licen[cs]e/i.test(file))
  const text = file === undefined ? `It names its licence: ${license}` : readFileSync(join(folder, file), "utf8").trim()
  return `${name} ${version}\n\n${text}\n`
})
writeFileSync(`${folder}LICENSES.txt`, licences.join(`\n${"-".repeat(80)}\n\n`))
