/** The code of a job that a client uploads: its module and what that imports, except autostop and Effect. */
import { createHash } from "node:crypto"
import { createRequire } from "node:module"
import { isPlainObject } from "../../base/plainObject.ts"
import { version } from "../../process/packageVersion.ts"

/** A name without folders, so that no file is written outside the folder of its bundle. */
const fileName = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/

/** A repeated group would overflow the stack of a long text. */
const base64 = /^[A-Za-z0-9+/]*={0,2}$/

/** The largest number of files in a bundle. */
const mostFiles = 10_000

/** The longest version. */
const longestVersion = 64

export type BundleFile = { readonly text: string } | { readonly base64: string }

export interface Bundle {
  /** The versions that the bundle was made with. It runs with the versions of the manager. */
  readonly versions: { readonly autostop: string; readonly effect: string }
  readonly files: Readonly<Record<string, BundleFile>>
}

/** Returns why a text is no bundle that can run here, if so. Anybody may have written it. */
export const bundleFault = (text: string): string | undefined => {
  let bundle: unknown
  try {
    bundle = JSON.parse(text)
  } catch (error) {
    return `the content is no bundle: ${error instanceof Error ? cut(error.message) : "expected JSON"}`
  }
  if (!isPlainObject(bundle)) return "the content is no bundle: expected an object"
  const { files, versions } = bundle
  if (!isVersions(versions)) {
    return `the content is no bundle: \`versions\` must have \`autostop\` and \`effect\`, texts of up to ${longestVersion} characters`
  }
  if (!isPlainObject(files)) return "the content is no bundle: `files` must be an object"
  return filesFault(files) ?? mismatch(versions)
}

const filesFault = (files: Readonly<Record<string, unknown>>): string | undefined => {
  const names = Object.keys(files)
  if (names.length > mostFiles) {
    return `the bundle has ${names.length} files, and a manager takes at most ${mostFiles}: import less`
  }
  for (const name of names) {
    const shown = JSON.stringify(cut(name))
    if (!fileName.test(name)) {
      return `the content is no bundle: the name ${shown} of a file must match ${fileName.source}`
    }
    if (!isFile(files[name])) {
      return `the content is no bundle: the file ${shown} must have \`text\`, or \`base64\` that is encoded so`
    }
  }
  return entryName in files ? undefined : `the bundle has no file ${entryName}; expected one that exports the job`
}

const cut = (text: string): string => text.length <= 128 ? text : `${text.slice(0, 128)}…`

const isVersions = (value: unknown): value is Bundle["versions"] =>
  isPlainObject(value) &&
  [value["autostop"], value["effect"]].every((one) => typeof one === "string" && one.length <= longestVersion)

const isFile = (value: unknown): value is BundleFile =>
  isPlainObject(value) && (typeof value["text"] === "string" ||
    (typeof value["base64"] === "string" && value["base64"].length % 4 === 0 && base64.test(value["base64"])))

/** Reads a bundle without a fault. */
export const readBundle = (text: string): Bundle => JSON.parse(text)

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
