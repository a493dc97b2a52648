/**
 * Files and folders that one user alone may use. Where the system has no users and modes of this kind, as on Windows, nothing
 * is checked.
 */
import {
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync
} from "node:fs"
import { homedir } from "node:os"
import { isAbsolute, join } from "node:path"
import { messageOf } from "../base/errorText.ts"

/** Creates an empty file that this user alone may use, unless there is one of this name or it cannot be created. */
export const createPrivate = (file: string): void => {
  try {
    closeSync(openSync(file, "wx", 0o600))
  } catch {
    // who opens the file next says what is wrong; an existing file is not opened here, because closing it would unlock it
  }
}

/**
 * Keeps others from a folder or a file that is there: takes their permission to read away. Returns what is wrong if it belongs
 * to another user, or if others may write it and so may have changed what is in it.
 */
export const keepPrivate = (path: string): string | undefined => {
  const stat = statSync(path)
  const fault = foreignFault(path, stat)
  if (fault !== undefined || !isShared(stat)) return fault
  chmodSync(path, stat.mode & 0o700)
  return isShared(statSync(path))
    ? `others may read ${path}, and its file system does not change that: use another file system`
    : undefined
}

/** Creates a folder, unless there is one, and keeps others from it. Returns what is wrong with it, as `keepPrivate` does. */
export const createPrivateFolder = (path: string): string | undefined => {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  return keepPrivate(path)
}

/** Returns the folder of this package in one of the user's folders: that which the variable names, or else one in the home. */
export const userFolder = (
  variable: "XDG_CONFIG_HOME" | "XDG_STATE_HOME",
  ...inHome: ReadonlyArray<string>
): string => {
  const given = process.env[variable]
  return join(given !== undefined && isAbsolute(given) ? given : join(homedir(), ...inHome), "autostop")
}

/** Writes a file that this user alone may read. There is the whole text or none of it. */
export const writePrivate = (file: string, text: string): void => {
  const partial = `${file}.${process.pid}.tmp`
  rmSync(partial, { force: true })
  writeFileSync(partial, text, { mode: 0o600, flag: "wx" })
  renameSync(partial, file)
}

/** The text of a file, or what is wrong with the file. */
export type PrivateText = { readonly _tag: "Text"; readonly text: string } | {
  readonly _tag: "Fault"
  readonly fault: string
}

/** Reads a file that must belong to this user alone. Returns `undefined` if there is none. */
export const readPrivate = (file: string): PrivateText | undefined => {
  try {
    // a link is not followed
    return readChecked(file, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0), (stat) =>
      foreignFault(file, stat) ??
        (isShared(stat) ? `others may read ${file} (mode ${modeOf(stat)}): remove it` : undefined))
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined
    return { _tag: "Fault", fault: `${file} cannot be read: ${messageOf(error)}` }
  }
}

/**
 * Reads a secret from a file that its user names. A file that anybody may read or others may write is refused, and so is one
 * that belongs to neither this user nor root. The members of its group may read it, because secrets that are mounted into
 * containers are read so. A pipe is not checked.
 */
export const readSecretFile = (file: string): PrivateText => {
  try {
    return readChecked(file, "r", (stat) => stat.isFile() ? secretFault(stat) : undefined)
  } catch (error) {
    return { _tag: "Fault", fault: `cannot be read: ${messageOf(error)}` }
  }
}

/** Reads a file if nothing is wrong with it: the file that is checked is the one that is read. Throws if it cannot be opened. */
const readChecked = (
  file: string,
  flags: string | number,
  faultOf: (stat: Stats) => string | undefined
): PrivateText => {
  const descriptor = openSync(file, flags)
  try {
    const fault = faultOf(fstatSync(descriptor))
    return fault === undefined
      ? { _tag: "Text", text: readFileSync(descriptor, "utf8") }
      : { _tag: "Fault", fault }
  } finally {
    closeSync(descriptor)
  }
}

const secretFault = (stat: Stats): string | undefined => {
  const uid = process.getuid?.()
  if (uid === undefined) return undefined
  if (stat.uid !== uid && stat.uid !== 0) {
    return `belongs to another user (${stat.uid}): give it to this user with chown, or use another file`
  }
  return (stat.mode & 0o026) === 0
    ? undefined
    : `can be ${(stat.mode & 0o022) === 0 ? "read" : "written"} by others (mode ${modeOf(stat)}): run chmod 600 on it`
}

const foreignFault = (path: string, stat: Stats): string | undefined => {
  const uid = process.getuid?.()
  if (uid === undefined) return undefined
  const [what, mode] = stat.isDirectory() ? ["folder", "700"] : ["file", "600"]
  if (stat.uid !== uid) {
    return `the ${what} ${path} belongs to another user (${stat.uid}, this is ${uid}): give it to this user with chown, or ` +
      `use another ${what}`
  }
  return (stat.mode & 0o022) === 0
    ? undefined
    : `others may write the ${what} ${path} (mode ${
      modeOf(stat)
    }), and may have changed what is in it: check that, then ` +
      `run chmod ${mode} on it, or use another ${what}`
}

const isShared = (stat: Stats): boolean => process.getuid !== undefined && (stat.mode & 0o077) !== 0

const modeOf = (stat: Stats): string => (stat.mode & 0o7777).toString(8).padStart(4, "0")
