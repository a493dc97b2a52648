/** Where a host that is a worker thread begins. */
import * as Effect from "effect/Effect"
import { readlinkSync } from "node:fs"
import { type MessagePort, parentPort } from "node:worker_threads"
import { flush } from "../internal/flush.ts"
import { Notice } from "../internal/notice.ts"
import { hosted } from "./hosted.ts"
import { type Born, bytesOf, type Piece, post } from "./piece.ts"

const begin = (port: MessagePort): void => {
  port.postMessage({ task: task() } satisfies Born)
  const fiber = Effect.runFork(hosted({
    onBytes: (listener) => void port.on("message", (piece: Piece) => listener(bytesOf(piece))),
    send: (bytes) => post(port, bytes),
    flush: () => Promise.resolve(),
    outlive: () => {},
    // it cannot outlive its owner
    lost: new Notice()
  }))
  fiber.addObserver((exit) => void end(exit._tag === "Success" ? exit.value : 1))
}

/** Ends the thread once its output is taken. Whatever its services left in the thread does not keep it alive. */
const end = async (code: number): Promise<never> => {
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

if (parentPort !== null) begin(parentPort)
