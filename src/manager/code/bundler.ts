/** Bundles a job's module for upload. */
import * as Effect from "effect/Effect"
import type { Plugin } from "rolldown"
import { readFileSync, statSync } from "node:fs"
import { basename, dirname, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { stripVTControlCharacters } from "node:util"
import { messageOf } from "../../base/errorText.ts"
import { oneLine } from "../../base/format.ts"
import { type Bundle, bundleFault, entryName, hashOf, versions } from "./bundle.ts"

export interface Bundled {
  readonly hash: string
  /** The bundle as JSON. */
  readonly content: Uint8Array
}

/** Bundles a module and what it imports. Fails with a message for people. */
export const bundle = (module: string): Effect.Effect<Bundled, string> =>
  Effect.tryPromise({
    try: () => make(module),
    catch: (error) => `the module ${module} cannot be bundled: ${brief(messageOf(error))}`
  })

const make = async (module: string): Promise<Bundled> => {
  // the bundler is imported on use, because it takes long to load
  const { rolldown } = await import("rolldown")
  const file = module.startsWith("file:") ? fileURLToPath(module) : resolve(module)
  const build = await rolldown({
    input: { [basename(entryName, ".js")]: file },
    // the same code has the same bundle, wherever it lies and whoever bundles it
    cwd: dirname(file),
    experimental: { attachDebugInfo: "none" },
    platform: "node",
    // paths, decorators and the like are those of the project
    tsconfig: true,
    // CommonJS modules become parts of an ES module
    transform: { define: { __dirname: "import.meta.dirname", __filename: "import.meta.filename" } },
    external: [/^(effect|autostop)($|\/)/],
    plugins: [referredFiles],
    onLog: (level, log) => {
      // this fails here, because a missing module would otherwise fail only at the manager
      if (log.code === "UNRESOLVED_IMPORT") throw new Error(log.message)
      if (level === "warn" && log.code === "MISSING_EXPORT") throw new Error(log.message)
    }
  })
  try {
    const { output } = await build.generate({
      format: "esm",
      sanitizeFileName: safe,
      entryFileNames: "[name].js",
      chunkFileNames: "[name]-[hash].js",
      assetFileNames: "[name]-[hash][extname]"
    })
    const files = output.map((file): [string, Bundle["files"][string]] => {
      if (file.type === "chunk") return [file.fileName, { text: file.code }]
      return [
        file.fileName,
        typeof file.source === "string"
          ? { text: file.source }
          : { base64: Buffer.from(file.source).toString("base64") }
      ]
    })
    files.sort(([a], [b]) => a < b ? -1 : 1)
    const bundle: Bundle = { versions, files: Object.fromEntries(files) }
    const text = JSON.stringify(bundle)
    const fault = bundleFault(text)
    if (fault !== undefined) throw new Error(fault)
    const content = Buffer.from(text)
    return { hash: hashOf(content), content }
  } finally {
    await build.close()
  }
}

/** Returns the first error of a build and its place, in one line. */
const brief = (message: string): string => {
  const text = stripVTControlCharacters(message)
  const what = /^\[[A-Z_]+\]\s*(.+)$/m.exec(text)?.[1]
  if (what === undefined) return oneLine(text)
  const place = /\[ (\S.*:\d+:\d+) \]/.exec(text)?.[1]
  return place === undefined ? what : `${what} (${place})`
}

/** Replaces what a file name of a bundle may not have. */
const safe = (name: string): string => name.replace(/[^A-Za-z0-9_.-]/g, "_").replace(/^[.-]/, "_")

/**
 * Adds the files that a module refers to. By `new URL("./file", import.meta.url)`: modules that serve its services in hosts,
 * which are bundled too, and other files, which are copied. By `join(__dirname, "file")` and the like: files that are
 * copied.
 */
const referredFiles: Plugin = {
  name: "autostop:referred-files",
  transform(code, id) {
    if (!/import\.meta\.(url|dirname)|__dirname/.test(code)) return null
    const found = (path: string): string | undefined => {
      const file = resolve(dirname(id), path)
      // if there is no such file, it is created at run time, or the text is part of a comment
      return statSync(file, { throwIfNoEntry: false })?.isFile() ? file : undefined
    }
    /** Copies a file beside the bundle, and returns its name there. */
    const copied = (file: string): string => {
      const source = readFileSync(file)
      const fileName = `${hashOf(source).slice(0, 8)}-${safe(basename(file))}`
      this.emitFile({ type: "asset", fileName, source })
      return fileName
    }
    return code
      .replace(fileUrls, (whole, __, path: string) => {
        const file = found(path)
        if (file === undefined) return whole
        if (!isCode(path)) return `new URL(${JSON.stringify(`./${copied(file)}`)}, import.meta.url)`
        return `new URL(import.meta.ROLLUP_FILE_URL_${this.emitFile({ type: "chunk", id: file })})`
      })
      .replace(joinedPaths, (whole, before: string, list: string) => {
        const path = `./${[...list.matchAll(texts)].map(([, , text]) => text).join("/")}`
        const file = isCode(path) ? undefined : found(path)
        return file === undefined ? whole : `${before}, ${JSON.stringify(copied(file))})`
      })
      .replace(addedPaths, (whole, before: string, quote: string, path: string) => {
        const file = isCode(path) ? undefined : found(`.${path}`)
        return file === undefined ? whole : `${before}${quote}/${copied(file)}${quote}`
      })
  }
}

const isCode = (path: string): boolean => /\.[cm]?[jt]sx?$/.test(path)

/** `join(__dirname, "a", "b")` and `resolve(…)`. */
const joinedPaths =
  /(\b(?:join|resolve)\(\s*(?:__dirname|import\.meta\.dirname))((?:\s*,\s*(?:"[^"\n]+"|'[^'\n]+'))+)\s*\)/g
const texts = /(["'])([^"'\n]+)\1/g
/** `__dirname + "/a"`. */
const addedPaths = /((?:__dirname|import\.meta\.dirname)\s*\+\s*)(["'])(\/[^"'\n]+)\2/g
const fileUrls = /new URL\(\s*(["'])(\.{1,2}\/[^"'\n]+)\1\s*,\s*import\.meta\.url\s*\)/g
