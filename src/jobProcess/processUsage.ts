import { delayMs, measureDelay } from "../telemetry/loopDelay.ts"
import { startInterval } from "../process/timers.ts"
import type { Usage } from "./protocol.ts"

/** The interval at which a process says what it uses. */
const usageMs = 5_000

/** Calls back with what this process uses, now and again and again. Returns a function that ends that. */
export const watchUsage = (onUsage: (usage: Usage) => void): () => void => {
  const delays = measureDelay()
  const read = () => {
    const { system, user } = process.cpuUsage()
    const loopDelayMs = delayMs(delays.max)
    delays.reset()
    onUsage({ _tag: "Usage", cpuMs: (system + user) / 1_000, memory: process.memoryUsage.rss(), loopDelayMs })
  }
  read()
  const stop = startInterval(usageMs, read)
  return () => {
    stop()
    delays.disable()
  }
}
