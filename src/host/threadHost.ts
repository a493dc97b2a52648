/** A host that is a worker thread. */
import * as Effect from "effect/Effect"
import { readlinkSync } from "node:fs"
import type { MessagePort } from "node:worker_threads"
import { flush } from "../internal/flush.ts"
import { childrenOf, leftoverOf } from "../internal/handles.ts"
import { Notice } from "../internal/notice.ts"
import { Host } from "../internal/processHost.ts"
import { signal } from "../internal/group.ts"
import { hosted } from "./hosted.ts"
import { type Born, bytesOf, type Piece, post } from "./piece.ts"

/** `onPiece` takes over what is sent to it, also what was sent before. */
export const begin = (port: MessagePort, onPiece: (listener: (piece: Piece) => void) => void): void => {
  port.postMessage({ task: task() } satisfies Born)
  const host = hosted({
    onBytes: (listener) => onPiece((piece) => listener(bytesOf(piece))),
    send: (bytes) => post(port, bytes),
    flush: () => Promise.resolve(),
    outlive: () => {},
    // it cannot outlive its owner
    lost: new Notice()
  })
  const fiber = Effect.runFork(Effect.provideService(host, Host, { leftovers, shutdown: undefined }))
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
