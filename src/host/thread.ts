import { readFileSync } from "node:fs"
import { Worker } from "node:worker_threads"
import { Notice } from "../internal/notice.ts"
import { signal } from "./group.ts"
import type { Open } from "./link.ts"
import { entry } from "./entry.ts"
import { forward, tailOf } from "./output.ts"

/** A host in a worker thread of this process. */
export const openThread: Open = (onBytes) => {
  const exited = new Notice()
  const worker = new Worker(entry("threadMain"), { stderr: true, env: process.env })
  /** Where the system lists the children of the thread. */
  let task: string | undefined
  let error: unknown
  let code = 0
  forward(worker.stderr, process.stderr)
  worker.on("message", (message: unknown) => {
    if (message instanceof Uint8Array) onBytes(message)
    else task = String(message)
  })
  worker.on("error", (cause) => void (error = cause))
  worker.once("exit", (exitCode) => {
    code = exitCode
    exited.open()
  })
  return {
    pid: undefined,
    exited,
    exit: () => error === undefined ? `its thread exited with code ${code}` : `its thread failed: ${textOf(error)}`,
    stderr: tailOf(worker.stderr),
    send: (parts) => {
      const whole = join(parts)
      worker.postMessage(whole, [whole.buffer])
    },
    kill: async () => {
      const since = performance.now()
      const children = childrenOf(task)
      await worker.terminate()
      for (const pid of children) signal(pid, "SIGKILL")
      return { gone: true, how: "terminated", durationMs: performance.now() - since }
    }
  }
}

const textOf = (error: unknown): string => error instanceof Error ? error.stack ?? error.message : String(error)

/** What a thread is sent is one piece that nobody else holds. */
export const join = (parts: ReadonlyArray<Uint8Array>): Uint8Array<ArrayBuffer> => {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/** The processes that a thread started and that still run. Once it has ended nobody can tell any longer. */
const childrenOf = (task: string | undefined): ReadonlyArray<number> => {
  try {
    return readFileSync(`/proc/${task}/children`, "utf8").split(" ").filter((pid) => pid.trim() !== "").map(Number)
  } catch {
    return []
  }
}
