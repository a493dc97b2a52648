/** A host that is a worker thread. */
import * as Effect from "effect/Effect"
import { readlinkSync } from "node:fs"
import type { MessagePort } from "node:worker_threads"
import { flush } from "../../process/flushOutput.ts"
import { childrenOf, leftoverOf } from "../../process/activeHandles.ts"
import { OneShotLatch } from "../../base/oneShotLatch.ts"
import { CurrentProcess } from "../../process/processContext.ts"
import { signal } from "../../process/processGroup.ts"
import { hosted } from "../server/hostProgram.ts"
import { type Born, bytesOf, type Piece, post } from "../wire/threadMessage.ts"

/** `onPiece` takes over what is sent to it, also what was sent before. */
export const begin = (port: MessagePort, onPiece: (listener: (piece: Piece) => void) => void): void => {
  port.postMessage({ task: task() } satisfies Born)
  const host = hosted({
    onBytes: (listener) => onPiece((piece) => listener(bytesOf(piece))),
    send: (bytes) => post(port, bytes),
    flush: () => Promise.resolve(),
    outlive: () => {},
    // it cannot outlive its owner
    lost: new OneShotLatch()
  })
  const fiber = Effect.runFork(Effect.provideService(host, CurrentProcess, { leftovers, attach: () => {} }))
  fiber.addObserver((exit) => void end(exit._tag === "Success" ? exit.value : 1))
}

const children = () => childrenOf("thread-self")

const leftovers = Effect.sync(() => children().map(leftoverOf))

/** Ends the thread once its output is taken. What its services left behind does not keep it alive, and ends with it. */
const end = async (code: number): Promise<never> => {
  for (const { pid } of children()) signal(pid, "SIGKILL")
  await Promise.all([flush(process.stdout, patienceMs), flush(process.stderr, patienceMs)])
  return process.exit(code)
}

/** How long it may take until some more of the output is taken. */
const patienceMs = 5_000

const task = (): string | undefined => {
  try {
    return readlinkSync("/proc/thread-self")
  } catch {
    return undefined
  }
}
