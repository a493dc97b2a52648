/**
 * Measures what `import "autostop"` alone costs, and fails if it is more than 5 % above its budget.
 *
 * Usage: `node scripts/size.ts`, after a build.
 */
import { spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"
import { rolldown } from "rolldown"

/** A change that needs more raises these numbers, and says why. */
const budget = { gzipBytes: 48_000, ownModules: 130, allModules: 302 }

/** The code of this package that the import loads at once, minified; `effect` and what is loaded on demand are left out. */
const bundled = async () => {
  const entry = fileURLToPath(new URL("../dist/index.js", import.meta.url))
  const bundle = await rolldown({
    input: entry,
    platform: "node",
    external: /^(?!\.|\/)/,
    preserveEntrySignatures: "strict"
  })
  const { output } = await bundle.generate({ format: "esm", minify: true })
  const chunks = new Map(output.flatMap((chunk) => chunk.type === "chunk" ? [[chunk.fileName, chunk] as const] : []))
  const names = new Set([...chunks.values()].filter((chunk) => chunk.isEntry).map((chunk) => chunk.fileName))
  for (const name of names) for (const imported of chunks.get(name)?.imports ?? []) names.add(imported)
  return [...names].reduce((sum, name) => sum + gzipSync(chunks.get(name)?.code ?? "").length, 0)
}

/** The files that Node loads for the import. */
const loaded = () => {
  const program = `
    import { registerHooks } from "node:module"
    const urls = []
    registerHooks({ load: (url, context, next) => (urls.push(url), next(url, context)) })
    await import("autostop")
    console.log(JSON.stringify(urls.filter((url) => url.startsWith("file:"))))`
  const { stderr, stdout } = spawnSync(process.execPath, ["--input-type=module", "--eval", program], {
    encoding: "utf8"
  })
  if (stdout === "") throw new Error(stderr)
  const urls: ReadonlyArray<string> = JSON.parse(stdout)
  return { ownModules: urls.filter((url) => !url.includes("/node_modules/")).length, allModules: urls.length }
}

const measured = { gzipBytes: await bundled(), ...loaded() }
for (const name of ["gzipBytes", "ownModules", "allModules"] as const) {
  const isExceeded = measured[name] > budget[name] * 1.05
  console.log(`${name}: ${measured[name]} of ${budget[name]}${isExceeded ? ", more than 5 % above the budget" : ""}`)
  if (isExceeded) process.exitCode = 1
}
