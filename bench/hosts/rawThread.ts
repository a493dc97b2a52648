/** What anyone would write first: a message for each call, and one for each answer. */
import { parentPort } from "node:worker_threads"

const port = parentPort
port?.on("message", ({ id, n }: { readonly id: number; readonly n: number }) => {
  port.postMessage({ id, n: 2 * n }, [])
})
