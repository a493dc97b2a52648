/**
 * A thread of a host process that waits for the end of its owner: it can do so also when the event loop of the host is
 * blocked. What is left of the group when the host has had its time is killed.
 */
import { Socket } from "node:net"
import { parentPort } from "node:worker_threads"

/** What the host may take before it has been told of its limit: nothing was started. */
let limitMs = 500

const life = new Socket({ fd: 4 })
const onLost = () => {
  // no limit: the host takes as long as it takes
  if (limitMs !== Infinity) setTimeout(() => process.kill(-process.pid, "SIGKILL"), limitMs)
}
life.once("close", onLost)
life.on("error", () => {})
life.resume()
parentPort?.on("message", (ms: number) => void (limitMs = ms))
