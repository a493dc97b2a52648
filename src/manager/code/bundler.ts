/** Makes a bundle of a job's module, for a manager that does not have it. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { readFileSync, statSync } from "node:fs"
import { basename, dirname, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import type { Plugin } from "rolldown"
import { messageOf } from "../../base/errorText.ts"
import { Bundle, entryName, hashOf, versions } from "./bundle.ts"
import { maxBundleBytes } from "../models.ts"

export interface Bundled {
  readonly hash: string
  /** What is uploaded: the bundle as JSON. */
  readonly content: Uint8Array
}

/** Bundles a module and what it imports. Fails with a message for people. */
export const bundle = (module: string): Effect.Effect<Bundled, string> =>
  Effect.tryPromise({
    try: () => make(module),
    catch: (error) => `the module ${module} cannot be bundled: ${messageOf(error)}`
  })

const make = async (module: string): Promise<Bundled> => {
  // a bundler takes a while to load: who uploads nothing does not wait for it
  const { rolldown } = await import("rolldown")
  const build = await rolldown({
    input: { [basename(entryName, ".js")]: module.startsWith("file:") ? fileURLToPath(module) : resolve(module) },
    platform: "node",
    external: [/^(effect|autostop)($|\/)/],
    plugins: [filesBesides],
    onLog: (level, log) => {
      // a module that is not found would fail only where the job runs
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
    const bundle = Schema.decodeUnknownSync(Bundle)({ versions, files: Object.fromEntries(files) })
    const content = Buffer.from(JSON.stringify(bundle))
    if (content.length > maxBundleBytes) {
      throw new Error(`it has ${content.length} bytes; ${maxBundleBytes} are allowed`)
    }
    return { hash: hashOf(content), content }
  } finally {
    await build.close()
  }
}

/** A name that a bundle may have. */
const safe = (name: string): string => name.replace(/[^A-Za-z0-9_.-]/g, "_").replace(/^[.-]/, "_")

/**
 * What a module refers to by `new URL("./file", import.meta.url)` comes along: the modules that serve its services
 * elsewhere, bundled as it is, and files that it reads, as they are.
 */
const filesBesides: Plugin = {
  name: "autostop:files-besides",
  transform(code, id) {
    if (!code.includes("import.meta.url")) return null
    return code.replace(fileUrls, (whole, __, path: string) => {
      const file = resolve(dirname(id), path)
      // it may be made there, or be in a comment
      if (!statSync(file, { throwIfNoEntry: false })?.isFile()) return whole
      const reference = /\.[cm]?[jt]sx?$/.test(path)
        ? this.emitFile({ type: "chunk", id: file })
        : this.emitFile({ type: "asset", name: safe(basename(file)), source: readFileSync(file) })
      return `new URL(import.meta.ROLLUP_FILE_URL_${reference})`
    })
  }
}

const fileUrls = /new URL\(\s*(["'])(\.{1,2}\/[^"'\n]+)\1\s*,\s*import\.meta\.url\s*\)/g
