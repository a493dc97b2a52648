/** A host that is a worker thread. */
import * as Effect from "effect/Effect"
import { readlinkSync } from "node:fs"
import type { MessagePort } from "node:worker_threads"
import { OneShotLatch } from "../../base/oneShotLatch.ts"
import { childrenOf, leftoverOf } from "../../process/activeHandles.ts"
import { flush } from "../../process/flushOutput.ts"
import { CurrentProcess } from "../../process/processContext.ts"
import { signal } from "../../process/processGroup.ts"
import { hostProgram } from "../server/hostProgram.ts"
import { type Bytes, bytesOf, exiting, post, type ThreadReport } from "./threadMessage.ts"

/** Runs the host. `onBytes` passes on all that is sent to it, from the first byte. */
export const begin = (port: MessagePort, onBytes: (listener: (bytes: Bytes) => void) => void): void => {
  port.postMessage({ _tag: "Born", task: task() } satisfies ThreadReport)
  const host = hostProgram({
    onBytes: (listener) => onBytes((bytes) => listener(bytesOf(bytes))),
    send: (bytes) => post(port, bytes),
    flush: () => Promise.resolve(),
    outlive: () => {},
    // a thread cannot outlive its owner
    lost: new OneShotLatch()
  })
  const fiber = Effect.runFork(Effect.provideService(host, CurrentProcess, { leftovers, attach: () => {} }))
  fiber.addObserver((exit) => void end(port, exit._tag === "Success" ? exit.value : 1))
}

const children = () => childrenOf("thread-self")

const leftovers = Effect.sync(() => children().map(leftoverOf))

/** Ends the thread once its output is taken. What its services left behind does not keep it alive, and ends with it. */
const end = async (port: MessagePort, code: number): Promise<never> => {
  for (const { pid } of children()) signal(pid, "SIGKILL")
  await Promise.all([flush(process.stdout, patienceMs), flush(process.stderr, patienceMs)])
  port.postMessage(exiting, [])
  return process.exit(code)
}

/** The time that the owner has to read some more of the output. */
const patienceMs = 5_000

const task = (): string | undefined => {
  try {
    return readlinkSync("/proc/thread-self")
  } catch {
    return undefined
  }
}
