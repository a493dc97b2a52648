/**
 * A thread of a process that waits for the end of its owner: it can do so also when the event loop of the process is
 * blocked. What is left of the group when the process has had its time is killed. What the owner sends, and `null` when
 * it is gone, is passed on to the main thread.
 */
import { Socket } from "node:net"
import { parentPort } from "node:worker_threads"

/** What the host may take before it has been told of its limit: nothing was started. */
let limitMs = 500

const life = new Socket({ fd: 4 })
const onLost = () => {
  parentPort?.postMessage(null, [])
  // no limit: the host takes as long as it takes
  if (limitMs !== Infinity) setTimeout(() => process.kill(-process.pid, "SIGKILL"), limitMs)
}
life.once("close", onLost)
life.on("error", () => {})
life.setEncoding("utf8")
life.on("data", (text) => parentPort?.postMessage(text, []))
parentPort?.on("message", (ms: number) => void (limitMs = ms))
