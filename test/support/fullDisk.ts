import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** A folder on a disk that can be made full, and the command before that of a process which is to see it. */
export interface FullDisk extends AsyncDisposable {
  readonly folder: string
  readonly via: ReadonlyArray<string>
  /** Leaves no room. */
  readonly fill: (pid: number) => void
  readonly free: (pid: number) => void
}

/** The ways to have namespaces of one's own: with a user's, which needs no rights, or as root. */
const namespaces = [["unshare", ["-rm"], ["-U", "-m", "--preserve-credentials"]], ["unshare", ["-m"], ["-m"]]] as const

const found = namespaces.find(([command, flags]) =>
  spawnSync(command, [...flags, "sh", "-c", "mount -t tmpfs none /tmp"]).status === 0
)

/** A file system of 8 MiB in memory, which only processes in its namespace see. */
const mounted = async ([command, flags, enter]: typeof namespaces[number]): Promise<FullDisk> => {
  const folder = temporary()
  const mount = "mount -t tmpfs -o size=8m,mode=0700 none \"$0\" && echo mounted && exec cat"
  const holder = spawn(command, [...flags, "sh", "-c", mount, folder], { stdio: ["pipe", "pipe", "inherit"] })
  await once(holder.stdout, "data")
  const filler = join(`/proc/${holder.pid}/root`, folder, "filler")
  return {
    folder,
    via: ["nsenter", "-t", String(holder.pid), ...enter],
    fill: () => fill(filler),
    free: () => rmSync(filler),
    [Symbol.asyncDispose]: () => endOf(holder, folder)
  }
}

const endOf = async (holder: ChildProcess, folder: string): Promise<void> => {
  holder.stdin?.end()
  await once(holder, "exit")
  rmSync(folder, { recursive: true, force: true })
}

const fill = (filler: string): void => {
  const file = openSync(filler, "w")
  for (let size = 64 * 1_024; size >= 1; size = Math.floor(size / 2)) {
    try {
      for (;;) writeSync(file, Buffer.alloc(size))
    } catch {
      // no room for so many bytes
    }
  }
  closeSync(file)
}

/** No file of the process may become larger than those of its store are, as with a quota. */
const limited = (): FullDisk => {
  const folder = temporary()
  const sizeOf = (name: string) => statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0
  const limit = (pid: number, bytes: number | "unlimited") => {
    spawnSync("prlimit", ["--pid", String(pid), `--fsize=${bytes}:unlimited`])
  }
  return {
    folder,
    via: [],
    fill: (pid) => limit(pid, Math.max(sizeOf("jobs.db"), sizeOf("jobs.db-wal"))),
    free: (pid) => limit(pid, "unlimited"),
    [Symbol.asyncDispose]: async () => rmSync(folder, { recursive: true, force: true })
  }
}

const temporary = (): string => mkdtempSync(join(tmpdir(), "autostop-disk-"))

/** The kinds of full disks that this machine can have: where nobody may mount, there is the second one. */
export const fullDisks: ReadonlyArray<readonly [kind: string, make: () => Promise<FullDisk>]> = [
  ...(found === undefined ? [] : [["its disk is full", () => mounted(found)] as const]),
  ["its files may not grow", async () => limited()]
]
