/** The entry point of a host that is a worker thread. It can be asked to end while it still loads its modules. */
import { parentPort } from "node:worker_threads"
import { type Bytes, exiting } from "./threadMessage.ts"

const early: Array<Bytes> = []
let exit = (code: number): never => process.exit(code)
let take = (bytes: Bytes): void => void early.push(bytes)

parentPort?.on("message", (message: Bytes | null) => {
  if (message !== null) return take(message)
  parentPort?.postMessage(exiting, [])
  exit(1)
})

const { begin } = await import("./threadHost.ts")
if (parentPort !== null) {
  // from here on the host answers calls of `process.exit`
  exit = begin(parentPort, (listener) => {
    take = listener
    for (const bytes of early) listener(bytes)
  })
}
