/**
 * Bundles the page of a job manager into `dist/page`: `index.html`, and scripts and styles that are named after what is in
 * them, so that a browser may keep them.
 *
 * Usage: `node scripts/page.ts`; `npm run build` does it too.
 */
import { createHash } from "node:crypto"
import { globSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { rolldown } from "rolldown"

const root = fileURLToPath(new URL("..", import.meta.url))
const sources = join(root, "src/page")
const folder = join(root, "dist/page")
const assets = join(folder, "assets")

const { version }: { readonly version: string } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))

rmSync(folder, { recursive: true, force: true })
mkdirSync(assets, { recursive: true })

const bundle = await rolldown({
  cwd: root,
  input: { page: join(sources, "main.tsx") },
  platform: "browser",
  tsconfig: join(sources, "tsconfig.json"),
  transform: { define: { "globalThis.AUTOSTOP_VERSION": JSON.stringify(version) } },
  onLog: (level, log) => {
    // what is not found, such as a module of Node, would fail in the browser
    if (level === "warn") throw new Error(log.message)
  }
})
const { output } = await bundle.write({
  dir: assets,
  format: "esm",
  entryFileNames: "[name]-[hash].js",
  chunkFileNames: "[name]-[hash].js",
  minify: true,
  comments: { legal: false, annotation: false, jsdoc: false }
})
await bundle.close()

/** Writes a style sheet without its comments and indentation, and returns its name. */
const writeStyles = (name: string, files: ReadonlyArray<string>): string => {
  const css = files.map((file) => readFileSync(file, "utf8")).join("\n")
    .replace(/\/\*[^]*?\*\//g, "")
    .replace(/\s*\n\s*/g, "\n")
    .trim()
  const file = `${name}-${createHash("sha256").update(css).digest("hex").slice(0, 8)}.css`
  writeFileSync(join(assets, file), css)
  return file
}

const entry = output.find((file) => file.type === "chunk" && file.isEntry)?.fileName ?? ""
const styles = writeStyles(
  "page",
  globSync("styles/*.css", { cwd: sources }).toSorted().map((file) => join(sources, file))
)
const html = readFileSync(join(sources, "index.html"), "utf8")
  .replace("page.css", `assets/${styles}`)
  .replace("page.js", `assets/${entry}`)
writeFileSync(join(folder, "index.html"), html)

/** The licences of the packages whose code is in the page. */
const packages = new Set(
  output.flatMap((file) => file.type === "chunk" ? file.moduleIds : [])
    .flatMap((file) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? [])
)
const licences = [...packages].toSorted().map((path) => {
  const { license, name, version } = JSON.parse(readFileSync(join(path, "package.json"), "utf8"))
  const file = readdirSync(path).find((file) => /^licen[cs]e/i.test(file))
  const text = file === undefined ? `It names its licence: ${license}` : readFileSync(join(path, file), "utf8").trim()
  return `${name} ${version}\n\n${text}\n`
})
writeFileSync(join(folder, "LICENSES.txt"), licences.join(`\n${"-".repeat(80)}\n\n`))
