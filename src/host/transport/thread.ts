import { Worker } from "node:worker_threads"
import { childrenOf } from "../../process/activeHandles.ts"
import { longestMs } from "../../base/timers.ts"
import { OneShotLatch } from "../../base/oneShotLatch.ts"
import { signal, until } from "../../process/processGroup.ts"
import type { Open } from "../caller/hostConnection.ts"
import { entries } from "../entryPoints.ts"
import { type Born, bytesOf, type Piece, post } from "../wire/threadMessage.ts"
import { forward, tailOf } from "../../process/outputLines.ts"

/** A host in a worker thread of this process. */
export const openThread: Open = (onBytes) => {
  const exited = new OneShotLatch()
  const worker = new Worker(entries.threadMain, { stdout: true, stderr: true, env: process.env })
  /** Where the system lists the children of the thread. */
  let task: string | undefined
  let error: unknown
  let code = 0
  forward(worker.stdout, process.stdout)
  forward(worker.stderr, process.stderr)
  worker.on("message", (message: Piece | Born) => {
    if (typeof message === "string" || message instanceof Uint8Array) onBytes(bytesOf(message))
    else task = message.task
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
    leftover: () => undefined,
    send: (bytes) => post(worker, bytes),
    kill: async (limitMs) => {
      const since = performance.now()
      const children = task === undefined ? [] : childrenOf(task)
      // asked first: to terminate a thread from outside while it loads its modules may take the process down
      worker.postMessage(null, [])
      await until(() => exited.isOpen, Math.min(politeMs, limitMs / 2))
      // a call into native code is not terminated: it ends when it ends
      const late = new Promise<void>((resolve) => setTimeout(() => resolve(), Math.min(limitMs, longestMs)).unref())
      await Promise.race([worker.terminate(), late])
      for (const { pid } of children) signal(pid, "SIGKILL")
      const how = exited.isOpen ? "terminated" : "terminated, but it is in native code"
      return { gone: exited.isOpen, how, durationMs: performance.now() - since }
    }
  }
}

const textOf = (error: unknown): string => error instanceof Error ? error.stack ?? error.message : String(error)

/** How long a thread may take to end when it is asked to. */
const politeMs = 100
