/**
 * The thread of `parentLink.ts`. It reads the lifeline, so that the end of the parent is noticed even if the event loop
 * of the process is blocked: when the process has had its time, the thread kills it with what it has started. It passes on
 * what the parent sends, and `null` once the parent has ended.
 */
import { Socket } from "node:net"
import { parentPort } from "node:worker_threads"
import { childProcesses } from "./ownedProcesses.ts"
import { markVariable } from "./ownerMark.ts"
import { startTimer } from "./timers.ts"

/** The limit until the process sets its own: it has started nothing yet. */
let limitMs = 500

/** The mark that the parent has given this process. It is read here, before the process sets its own. */
const mark = process.env[markVariable]

const lifeline = new Socket({ fd: 4 })
lifeline.once("close", () => {
  parentPort?.postMessage(null, [])
  startTimer(limitMs, () => {
    if (mark !== undefined) childProcesses(process.pid, mark, { all: false }).kill()
    process.kill(-process.pid, "SIGKILL")
  }, { keepsAlive: true })
})
lifeline.on("error", () => {})
lifeline.setEncoding("utf8")
lifeline.on("data", (text) => parentPort?.postMessage(text, []))
parentPort?.on("message", (ms: number) => void (limitMs = ms))
