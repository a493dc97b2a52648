/** Where a host that is a worker thread begins. It can be asked to end while it still loads what it is made of. */
import { parentPort } from "node:worker_threads"
import type { Piece } from "./threadMessage.ts"

const early: Array<Piece> = []
let take = (piece: Piece): void => void early.push(piece)

parentPort?.on("message", (piece: Piece | null) => {
  if (piece === null) process.exit(1)
  take(piece)
})

const { begin } = await import("./threadHost.ts")
if (parentPort !== null) {
  begin(parentPort, (listener) => {
    take = listener
    for (const piece of early) listener(piece)
  })
}
