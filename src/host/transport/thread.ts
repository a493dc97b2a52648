import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { fileURLToPath } from "node:url"
import { Worker } from "node:worker_threads"
import { elapsed, now } from "../../base/clock.ts"
import { OneShotLatch } from "../../base/oneShotLatch.ts"
import { waitFor } from "../../base/waits.ts"
import { killAll } from "../../process/endDescendants.ts"
import { programLoader } from "../../process/entryPoints.ts"
import { forward, tailOf } from "../../process/outputLines.ts"
import { markedProcesses } from "../../process/ownedProcesses.ts"
import { markVariable, newMark } from "../../process/ownerMark.ts"
import type { Killed } from "../../process/processGroup.ts"
import { childrenOf } from "../../process/processTable.ts"
import type { OpenHost } from "../caller/hostConnection.ts"
import { entries } from "../entryPoints.ts"
import { type Bytes, bytesOf, exitRequest, post, type ThreadReport } from "./threadMessage.ts"
import { keepWasmCode } from "./wasmCode.ts"
import {
  exited as threadExited,
  exiting,
  failing,
  loaded,
  loading,
  terminating,
  type ThreadState
} from "./threadState.ts"

const threadMain = fileURLToPath(entries.threadMain)

/**
 * The time that a thread has to exit when it is asked to. One that compiles modules cannot be asked before it has done so, and
 * one that exits is about to end: both have more time than a thread that is asked in its next turn.
 */
const patienceMs: { readonly [S in ThreadState["_tag"]]: number } = {
  Loading: 1_000,
  Running: 100,
  Exiting: 1_000,
  Failing: 1_000,
  Terminating: 0,
  Exited: 0
}

/** A host in a worker thread of this process. */
export const openThread: OpenHost = (onBytes) => {
  const exited = new OneShotLatch()
  keepWasmCode()
  const mark = newMark(process.env, "thread")
  const env = { ...process.env, [markVariable]: mark }
  const worker = new Worker(programLoader, { argv: [threadMain], stdout: true, stderr: true, env })
  let state: ThreadState = loading
  let task: string | undefined
  /** The processes that it starts. Once it has ended, the system lists its children no longer. */
  const processes = markedProcesses(mark, () => task === undefined ? undefined : childrenOf(task))
  forward(worker.stdout, process.stdout)
  forward(worker.stderr, process.stderr)
  worker.on("message", (message: Bytes | ThreadReport) => {
    if (typeof message === "string" || message instanceof Uint8Array) {
      state = loaded(state)
      onBytes(bytesOf(message))
    } else if (message._tag === "Born") task = message.task
    else state = exiting(state)
  })
  worker.on("error", (error) => void (state = failing(state, error)))
  worker.once("exit", (code) => {
    state = threadExited(state, code)
    exited.open()
  })

  /** Waits until the thread has exited by itself, or has had the time for it in the state that it is in. */
  const exitByItself = (limitMs: number): Effect.Effect<void> =>
    Effect.gen(function*() {
      let before: ThreadState | undefined
      while (before !== state && !exited.isOpen) {
        before = state
        yield* waitFor(exited, Math.min(patienceMs[state._tag], limitMs / 2))
      }
    })

  const kill = (limitMs: number): Effect.Effect<Killed> =>
    Effect.gen(function*() {
      const clock = yield* Clock.Clock
      const since = now(clock)
      const children = processes.find()
      worker.postMessage(exitRequest, [])
      yield* exitByItself(limitMs)
      if (!exited.isOpen) {
        const before = state
        state = terminating(state)
        if (state !== before) void worker.terminate()
        // a thread in native code only ends when it returns from there
        yield* waitFor(exited, Math.max(0, limitMs - elapsed(clock, since)))
      }
      killAll(children)
      processes.kill()
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
    exit: () => state._tag === "Exited" ? state.how : "it has not exited",
    stderr: tailOf(worker.stderr),
    leftover: () => undefined,
    send: (bytes) => post(worker, bytes),
    kill
  }
}
