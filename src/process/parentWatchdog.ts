/**
 * The thread of `parentLink.ts`. It reads the lifeline, so that the end of the parent is noticed even if the event loop
 * of the process is blocked: when the process has had its time, the thread kills what is left of its group. It passes on
 * what the parent sends, and `null` once the parent has ended.
 */
import { Socket } from "node:net"
import { parentPort } from "node:worker_threads"
import { startTimer } from "./timers.ts"

/** The limit until the process sets its own: it has started nothing yet. */
let limitMs = 500

const lifeline = new Socket({ fd: 4 })
lifeline.once("close", () => {
  parentPort?.postMessage(null, [])
  startTimer(limitMs, () => process.kill(-process.pid, "SIGKILL"), { keepsAlive: true })
})
lifeline.on("error", () => {})
lifeline.setEncoding("utf8")
lifeline.on("data", (text) => parentPort?.postMessage(text, []))
parentPort?.on("message", (ms: number) => void (limitMs = ms))
