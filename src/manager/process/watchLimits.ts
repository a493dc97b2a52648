/** Sees to it that a job takes no more than it may. */
import { execFile } from "node:child_process"
import { readFile } from "node:fs/promises"
import { promisify } from "node:util"
import { longestMs } from "../../base/timers.ts"
import type { Trigger } from "../../StopReport.ts"
import type { Limits } from "../JobProcess.ts"
import type { StopCommand } from "../models.ts"

/** How often the memory is looked at. */
const everyMs = 500
/** What is this much over the limit grows faster than a job stops. */
const excess = 1.5

export interface Watched {
  readonly limits: Limits
  /** The process of the job, and those of its hosts. */
  readonly pids: () => ReadonlyArray<number>
  readonly stop: (command: StopCommand, trigger: Trigger) => void
}

/** Stops a job that takes more time or memory than it may. Returns how to end that. */
export const watchLimits = ({ limits: { memory, timeMs }, pids, stop }: Watched): () => void => {
  const timers: Array<NodeJS.Timeout> = []
  if (timeMs !== undefined && timeMs <= longestMs) {
    timers.push(setTimeout(() => stop({ reason: `it ran for ${timeMs} ms, its limit` }, "deadline"), timeMs))
  }
  if (memory !== undefined) {
    let isStopping = false
    const look = async () => {
      const used = await residentBytes(pids())
      if (used <= memory) return
      const reason = `it took ${mebibytes(used)} of memory, and may take ${mebibytes(memory)}`
      if (used > memory * excess) stop({ mode: "kill", reason }, "failed")
      else if (!isStopping) stop({ mode: "cancel", reason }, "failed")
      isStopping = true
    }
    timers.push(setInterval(() => void look(), everyMs))
  }
  return () => timers.forEach((timer) => clearTimeout(timer))
}

/** What V8 is told, so that it collects more eagerly before it comes to the limit. */
export const heapArgs = ({ memory }: Limits): ReadonlyArray<string> =>
  memory === undefined ? [] : [`--max-old-space-size=${Math.max(1, Math.floor(memory / mebibyte))}`]

const mebibyte = 1024 * 1024
const mebibytes = (bytes: number): string => `${Math.ceil(bytes / mebibyte)} MiB`

/** The memory that processes have, without what is swapped out. What has ended has none. */
const residentBytes = async (pids: ReadonlyArray<number>): Promise<number> => {
  const kilobytes = process.platform === "linux"
    ? await Promise.all(pids.map(async (pid) => {
      const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "")
      return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0)
    }))
    : await run("ps", ["-o", "rss=", "-p", pids.join(",")]).then(
      ({ stdout }) => stdout.trim().split(/\s+/).map(Number),
      () => []
    )
  return kilobytes.reduce((sum, n) => sum + n, 0) * 1024
}

const run = promisify(execFile)
