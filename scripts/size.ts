/**
 * Measures what `import "autostop"` alone costs, and the first view of the page, and fails if one is more than 5 % above its budget.
 *
 * Usage: `node scripts/size.ts`, after a build.
 */
import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"
import { rolldown } from "rolldown"

/** A change that needs more raises these numbers, and says why. */
const budget = { gzipBytes: 50_000, ownModules: 134, allModules: 306, pageGzipBytes: 38_000 }

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

/** The page without what it loads later, as a browser gets it: `index.html`, what it names, and the scripts that those import. */
const firstView = (): number => {
  const folder = new URL("../dist/page/", import.meta.url)
  const read = (path: string): string => readFileSync(new URL(path, folder), "utf8")
  const files = new Set(["index.html", ...Array.from(read("index.html").matchAll(/assets\/[^"]+/g), ([path]) => path)])
  for (const file of files) {
    if (!file.endsWith(".js")) continue
    for (const [, name = ""] of read(file).matchAll(/(?:from|import)\s*"\.\/([^"]+)"/g)) files.add(`assets/${name}`)
  }
  return [...files].reduce((sum, file) => sum + gzipSync(read(file), { level: 9 }).length, 0)
}

const measured = { gzipBytes: await bundled(), ...loaded(), pageGzipBytes: firstView() }
for (const name of ["gzipBytes", "ownModules", "allModules", "pageGzipBytes"] as const) {
  const isExceeded = measured[name] > budget[name] * 1.05
  console.log(`${name}: ${measured[name]} of ${budget[name]}${isExceeded ? ", more than 5 % above the budget" : ""}`)
  if (isExceeded) process.exitCode = 1
}
