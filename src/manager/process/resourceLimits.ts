/** Enforces the limits of a job: its running time and its memory. */
import { execFile } from "node:child_process"
import { readFile } from "node:fs/promises"
import { promisify } from "node:util"
import { startInterval, startTimer } from "../../process/timers.ts"
import type { Trigger } from "../../StopReport.ts"
import type { Limits } from "../JobProcess.ts"
import type { StopCommand } from "../models.ts"

/** The interval of the memory checks of a job. */
const intervalMs = 500
/** A job whose memory exceeds its limit by this factor is killed, because it grows faster than it stops. */
const killFactor = 1.5

export interface LimitOptions {
  readonly limits: Limits
  /** Returns the ids of the job's process and of those of its hosts. */
  readonly pids: () => ReadonlyArray<number>
  readonly stop: (command: StopCommand, trigger: Trigger) => void
}

/** Stops a job that exceeds its limits. Returns a function that ends the checks. */
export const enforceLimits = ({ limits: { memory, timeMs }, pids, stop }: LimitOptions): () => void => {
  const cancels: Array<() => void> = []
  if (timeMs !== undefined) {
    const reason = `it ran for ${timeMs} ms, which is its limit`
    cancels.push(startTimer(timeMs, () => stop({ reason }, "deadline"), { keepsAlive: true }))
  }
  if (memory !== undefined) {
    let isStopRequested = false
    cancels.push(watchMemory({
      memory,
      pids,
      intervalMs,
      onExceeded: (used, reason) => {
        if (used > memory * killFactor) stop({ mode: "kill", reason }, "failed")
        else if (!isStopRequested) stop({ mode: "cancel", reason }, "failed")
        isStopRequested = true
      }
    }))
  }
  return () => cancels.forEach((cancel) => cancel())
}

export interface MemoryWatch {
  readonly memory: number
  readonly pids: () => ReadonlyArray<number>
  readonly intervalMs: number
  /** Called at each measurement that exceeds the limit, with the reason for people. */
  readonly onExceeded: (used: number, reason: string) => void
}

/** Measures the memory of processes again and again. Returns a function that ends it. */
export const watchMemory = ({ intervalMs, memory, onExceeded, pids }: MemoryWatch): () => void => {
  const measure = async () => {
    const used = await residentBytes(pids())
    if (used <= memory) return
    onExceeded(used, `it used ${mebibytes(used)} of memory, and its limit is ${mebibytes(memory)}`)
  }
  return startInterval(intervalMs, () => void measure())
}

/**
 * Returns arguments of Node with which V8 collects garbage more eagerly before the limit is reached. It is the heap that is
 * limited: a thread without memory ends alone then. Where its old space is, Node 24 often aborts the whole process instead.
 */
export const heapArgs = ({ memory }: Pick<Limits, "memory">): ReadonlyArray<string> =>
  memory === undefined ? [] : [`--max-heap-size=${Math.max(1, Math.floor(memory / mebibyte))}`]

const mebibyte = 1024 * 1024
const mebibytes = (bytes: number): string => `${Math.ceil(bytes / mebibyte)} MiB`

/** Returns the resident memory of processes in bytes. A process that has ended has none. */
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
