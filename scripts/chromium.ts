/**
 * Finds Chromium, or installs that of Debian, for the tests of the page and for its pictures.
 *
 * Usage: `node scripts/chromium.ts`; it prints where Chromium is, or else why there is none, and exits with 1.
 */
import { spawnSync } from "node:child_process"
import { accessSync, constants } from "node:fs"
import { delimiter, join } from "node:path"

const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]

/** Returns the path of Chromium: the one that `AUTOSTOP_CHROMIUM` names, or the first one that is found. */
export const findChromium = (): string | undefined => process.env["AUTOSTOP_CHROMIUM"] ?? found(names)

/** Installs Chromium if there is none. Returns why it cannot, if so. */
export const installChromium = (): string | undefined => {
  if (findChromium() !== undefined) return undefined
  if (found(["apt-get"]) === undefined) return "it is not installed, and there is no apt-get to install it with"
  if (process.getuid?.() !== 0) {
    return "it is not installed, and only root may install it: run \"apt-get install chromium\""
  }
  const fault = apt("update") ?? apt("install", "--yes", "--no-install-recommends", "chromium")
  if (fault !== undefined) return fault
  return findChromium() === undefined
    ? "the package \"chromium\" of this system has no program of that name"
    : undefined
}

/** Returns what went wrong, if anything did. */
const apt = (...args: ReadonlyArray<string>): string | undefined => {
  const { error, status, stderr } = spawnSync("apt-get", ["--quiet", ...args], {
    encoding: "utf8",
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    maxBuffer: 64 * 1024 * 1024
  })
  if (status === 0) return undefined
  const why = error?.message ?? stderr.trim().split("\n").at(-1)
  return `"apt-get ${args.join(" ")}" failed: ${why}`
}

const found = (programs: ReadonlyArray<string>): string | undefined => {
  const folders = (process.env["PATH"] ?? "").split(delimiter)
  return programs.flatMap((program) => folders.map((folder) => join(folder, program))).find(isExecutable)
}

const isExecutable = (file: string): boolean => {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

if (import.meta.main) {
  const fault = installChromium()
  console.log(fault ?? findChromium())
  process.exitCode = fault === undefined ? 0 : 1
}
