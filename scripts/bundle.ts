/**
 * Bundles the command line into few files, because most of the time of a command was the loading of some 480 modules. The
 * commands that run code of users in their process or serve jobs are left out: they need the one Effect of that code.
 *
 * Usage: `node scripts/bundle.ts`, after the rest of a build.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { join, relative } from "node:path"
import { fileURLToPath } from "node:url"
import { type Plugin, rolldown } from "rolldown"

const dist = fileURLToPath(new URL("../dist/", import.meta.url))

/** `bin.ts` runs this module from the plain files. */
const left = "/cli/commands/runManager.js"

/** A module keeps its own address, from which it finds its files and the programs that it starts. */
const ownUrls: Plugin = {
  name: "autostop:own-urls",
  load: (id) => {
    if (id.endsWith(left)) return "export const runManager = undefined"
    if (!id.endsWith("/platform-node/dist/Undici.js")) return null
    // what a CommonJS module exports is known when it runs, and a bundle has to name it
    const names = Object.keys(createRequire(id)("undici")).filter((name) =>
      /^[A-Za-z]\w*$/.test(name) && name !== "default"
    )
    return `import Undici from "undici"\nexport default Undici\nexport const { ${names.join(", ")} } = Undici`
  },
  transform: (code, id) => {
    if (!code.includes("import.meta.url")) return null
    const path = JSON.stringify(`../${relative(dist, id)}`)
    return `const moduleUrl__ = new URL(${path}, bundleUrl__).href\n${code}`
  }
}

const build = await rolldown({
  input: { cli: `${dist}cli/main.js` },
  cwd: dist,
  platform: "node",
  // these are loaded where they are needed, and have files of their own
  external: ["rolldown", /^@effect\/sql-pg/],
  experimental: { attachDebugInfo: "none" },
  transform: { define: { "import.meta.url": "moduleUrl__" } },
  plugins: [ownUrls],
  onLog: (level, log) => {
    if (level === "warn" && log.code === "UNRESOLVED_IMPORT") throw new Error(log.message)
  }
})
const { output } = await build.write({
  dir: `${dist}bundle`,
  format: "esm",
  chunkFileNames: "[name]-[hash].js",
  banner: "const bundleUrl__ = import.meta.url",
  // names stay, for the stacks of errors
  minify: { mangle: false, compress: true, codegen: true }
})
await build.close()

/** The licences of the packages whose code is in the bundle. */
const packages = new Set(
  output.flatMap((file) => file.type === "chunk" ? file.moduleIds : [])
    .flatMap((id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id) ?? [])
)
const licences = [...packages].toSorted().map((folder) => {
  const { license, name, version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"))
  const file = readdirSync(folder).find((file) => /^licen[cs]e/i.test(file))
  const text = file === undefined ? `It names its licence: ${license}` : readFileSync(join(folder, file), "utf8").trim()
  return `${name} ${version}\n\n${text}\n`
})
writeFileSync(`${dist}bundle/LICENSES.txt`, licences.join(`\n${"-".repeat(80)}\n\n`))
