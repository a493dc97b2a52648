import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { Worker } from "node:worker_threads"
import { elapsed, now } from "../../base/clock.ts"
import { stackOf } from "../../base/errorText.ts"
import { OneShotLatch } from "../../base/oneShotLatch.ts"
import { waitFor } from "../../base/waits.ts"
import { childrenOf } from "../../process/activeHandles.ts"
import { forward, tailOf } from "../../process/outputLines.ts"
import { type Killed, signal } from "../../process/processGroup.ts"
import type { OpenHost } from "../caller/hostConnection.ts"
import { entries } from "../entryPoints.ts"
import { type Bytes, bytesOf, exitRequest, post, type ThreadReport } from "./threadMessage.ts"

/**
 * How far a thread has come:
 *
 * - `Loading`: it compiles its modules, from its start until it sends its first frame
 * - `Running`: its module is loaded
 * - `Exiting`: it has called `process.exit`
 * - `Terminating`: it was terminated from outside, which happens once at most
 */
type ThreadState = "Loading" | "Running" | "Exiting" | "Terminating"

/**
 * How long a thread may take to exit when it is asked to. Node may crash if a thread is torn down from outside while it
 * compiles modules or exits, so such a thread has more time to do it by itself; in between it does so in its next turn.
 */
const patienceMs: { readonly [S in ThreadState]: number } = {
  Loading: 1_000,
  Running: 100,
  Exiting: 1_000,
  Terminating: 0
}

/** A host in a worker thread of this process. */
export const openThread: OpenHost = (onBytes) => {
  const exited = new OneShotLatch()
  const worker = new Worker(entries.threadMain, { stdout: true, stderr: true, env: process.env })
  let state: ThreadState = "Loading"
  let task: string | undefined
  let error: unknown
  let code = 0
  forward(worker.stdout, process.stdout)
  forward(worker.stderr, process.stderr)
  worker.on("message", (message: Bytes | ThreadReport) => {
    if (typeof message === "string" || message instanceof Uint8Array) {
      if (state === "Loading") state = "Running"
      onBytes(bytesOf(message))
    } else if (message._tag === "Born") task = message.task
    else if (state !== "Terminating") state = "Exiting"
  })
  worker.on("error", (cause) => void (error = cause))
  worker.once("exit", (exitCode) => {
    code = exitCode
    exited.open()
  })

  /** Waits until the thread has exited by itself, or has had the time for it in the state that it is in. */
  const exitByItself = (limitMs: number): Effect.Effect<void> =>
    Effect.gen(function*() {
      let before: ThreadState | undefined
      while (before !== state && !exited.isOpen) {
        before = state
        yield* waitFor(exited, Math.min(patienceMs[state], limitMs / 2))
      }
    })

  const kill = (limitMs: number): Effect.Effect<Killed> =>
    Effect.gen(function*() {
      const clock = yield* Clock.Clock
      const since = now(clock)
      const children = task === undefined ? [] : childrenOf(task)
      worker.postMessage(exitRequest, [])
      yield* exitByItself(limitMs)
      if (!exited.isOpen) {
        if (state !== "Terminating") void worker.terminate()
        state = "Terminating"
        // a thread in native code only ends when it returns from there
        yield* waitFor(exited, Math.max(0, limitMs - elapsed(clock, since)))
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
    exit: () => error === undefined ? `its thread exited with code ${code}` : `its thread failed: ${stackOf(error)}`,
    stderr: tailOf(worker.stderr),
    leftover: () => undefined,
    send: (bytes) => post(worker, bytes),
    kill
  }
}
