import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { Worker } from "node:worker_threads"
import { elapsed, now } from "../../base/clock.ts"
import { OneShotLatch } from "../../base/oneShotLatch.ts"
import { waitFor } from "../../base/waits.ts"
import { childrenOf } from "../../process/activeHandles.ts"
import { forward, tailOf } from "../../process/outputLines.ts"
import { type Killed, signal } from "../../process/processGroup.ts"
import type { OpenHost } from "../caller/hostConnection.ts"
import { entries } from "../entryPoints.ts"
import { type Born, type Bytes, bytesOf, endRequest, post } from "./threadMessage.ts"

/** How long a thread may take to end by itself when it is asked to. */
const politeMs = 100

/** A host in a worker thread of this process. */
export const openThread: OpenHost = (onBytes) => {
  const exited = new OneShotLatch()
  const worker = new Worker(entries.threadMain, { stdout: true, stderr: true, env: process.env })
  /** The folder in `/proc` that lists the children of the thread. */
  let task: string | undefined
  let error: unknown
  let code = 0
  forward(worker.stdout, process.stdout)
  forward(worker.stderr, process.stderr)
  worker.on("message", (message: Bytes | Born) => {
    if (typeof message === "string" || message instanceof Uint8Array) onBytes(bytesOf(message))
    else task = message.task
  })
  worker.on("error", (cause) => void (error = cause))
  worker.once("exit", (exitCode) => {
    code = exitCode
    exited.open()
  })
  /** Ends the thread wherever it is, once: a thread in native code only ends when it returns from there. */
  let terminating = false
  const terminate = () => {
    if (terminating || exited.isOpen) return
    terminating = true
    void worker.terminate()
  }
  const kill = (limitMs: number): Effect.Effect<Killed> =>
    Effect.gen(function*() {
      const clock = yield* Clock.Clock
      const since = now(clock)
      const children = task === undefined ? [] : childrenOf(task)
      // a thread that ends by itself does so between two steps of its code
      worker.postMessage(endRequest, [])
      if ((yield* waitFor(exited, Math.min(politeMs, limitMs / 2))) === "time") {
        terminate()
        yield* waitFor(exited, limitMs)
      }
      for (const { pid } of children) signal(pid, "SIGKILL")
      const gone = exited.isOpen
      return {
        gone,
        how: gone ? "terminated" : "terminated, but it is in native code",
        durationMs: elapsed(clock, since)
      }
    })
  return {
    pid: undefined,
    exited,
    exit: () => error === undefined ? `its thread exited with code ${code}` : `its thread failed: ${textOf(error)}`,
    stderr: tailOf(worker.stderr),
    leftover: () => undefined,
    send: (bytes) => post(worker, bytes),
    kill
  }
}

const textOf = (error: unknown): string => error instanceof Error ? error.stack ?? error.message : String(error)
