/** Bundles a job's module for upload. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Plugin } from "rolldown"
import { readFileSync, statSync } from "node:fs"
import { basename, dirname, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { messageOf } from "../../base/errorText.ts"
import { Bundle, entryName, hashOf, versions } from "./bundle.ts"

export interface Bundled {
  readonly hash: string
  /** The bundle as JSON. */
  readonly content: Uint8Array
}

/** Bundles a module and what it imports. Fails with a message for people. */
export const bundle = (module: string): Effect.Effect<Bundled, string> =>
  Effect.tryPromise({
    try: () => make(module),
    catch: (error) => `the module ${module} cannot be bundled: ${messageOf(error)}`
  })

const make = async (module: string): Promise<Bundled> => {
  // the bundler is imported on use, because it takes long to load
  const { rolldown } = await import("rolldown")
  const build = await rolldown({
    input: { [basename(entryName, ".js")]: module.startsWith("file:") ? fileURLToPath(module) : resolve(module) },
    platform: "node",
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
    const bundle = Schema.decodeUnknownSync(Bundle)({ versions, files: Object.fromEntries(files) })
    const content = Buffer.from(JSON.stringify(bundle))
    return { hash: hashOf(content), content }
  } finally {
    await build.close()
  }
}

/** Replaces what a file name of a bundle may not have. */
const safe = (name: string): string => name.replace(/[^A-Za-z0-9_.-]/g, "_").replace(/^[.-]/, "_")

/**
 * Adds the files that a module refers to by `new URL("./file", import.meta.url)`: modules that serve its services in
 * hosts, which are bundled too, and other files, which are copied.
 */
const referredFiles: Plugin = {
  name: "autostop:referred-files",
  transform(code, id) {
    if (!code.includes("import.meta.url")) return null
    return code.replace(fileUrls, (whole, __, path: string) => {
      const file = resolve(dirname(id), path)
      // there is no such file: it is created at run time, or the text is part of a comment
      if (!statSync(file, { throwIfNoEntry: false })?.isFile()) return whole
      const reference = /\.[cm]?[jt]sx?$/.test(path)
        ? this.emitFile({ type: "chunk", id: file })
        : this.emitFile({ type: "asset", name: safe(basename(file)), source: readFileSync(file) })
      return `new URL(import.meta.ROLLUP_FILE_URL_${reference})`
    })
  }
}

const fileUrls = /new URL\(\s*(["'])(\.{1,2}\/[^"'\n]+)\1\s*,\s*import\.meta\.url\s*\)/g
