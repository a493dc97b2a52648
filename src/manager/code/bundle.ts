/** The code of a job that a client uploads: its module and what that imports, except autostop and Effect. */
import * as Schema from "effect/Schema"
import { createHash } from "node:crypto"
import { createRequire } from "node:module"
import { version } from "../../process/packageVersion.ts"

/** A name without folders, so that no file is written outside the folder of its bundle. */
const FileName = Schema.String.check(Schema.isPattern(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/))

export const Bundle = Schema.Struct({
  /** The versions that the bundle was made with. It runs with the versions of the manager. */
  versions: Schema.Struct({ autostop: Schema.String, effect: Schema.String }),
  files: Schema.Record(
    Schema.String,
    Schema.Union([
      Schema.Struct({ text: Schema.String }),
      Schema.Struct({ base64: Schema.String.check(Schema.isBase64()) })
    ])
  ).check(Schema.isPropertyNames(FileName))
})
export type Bundle = typeof Bundle.Type

/** The file of a bundle that exports the job. */
export const entryName = "job.js"

/** The hash that a bundle is stored and submitted by. */
export const hashOf = (content: string | Uint8Array): string => createHash("sha256").update(content).digest("hex")

const effectVersion: string = createRequire(import.meta.url)("effect/package.json").version
export const versions: Bundle["versions"] = { autostop: version, effect: effectVersion }

/**
 * Returns why a bundle cannot run here, if it cannot. Effect's unstable modules change with each minor version, and so
 * does autostop.
 */
export const mismatch = (theirs: Bundle["versions"], ours: Bundle["versions"] = versions): string | undefined => {
  const other = (["autostop", "effect"] as const).find((name) => minor(theirs[name]) !== minor(ours[name]))
  return other === undefined
    ? undefined
    : `the job was bundled for ${other} ${theirs[other]}, and the manager has ${
      ours[other]
    }: use the same minor version of both`
}

const minor = (version: string): string => version.split(".").slice(0, 2).join(".")
