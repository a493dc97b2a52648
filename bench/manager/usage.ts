/** Tells its parent what a process uses, when asked: a preload of the manager and of those that are compared with it. */
import { readFileSync } from "node:fs"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { setImmediate } from "node:timers/promises"

export interface Usage {
  /** The milliseconds of processor time since its start. */
  readonly cpu: number
  /** The bytes of its objects and of what they own outside of the heap, once what is not in use was collected. */
  readonly heap: number
  /** The bytes that it has to itself, in so far as the system says so. */
  readonly anonymous: number | undefined
}

// jobs are started with the arguments of their manager, and are to have none of these
process.execArgv = []
setFlagsFromString("--expose-gc")
const collect: () => void = runInNewContext("gc")

const usage = async (): Promise<Usage> => {
  const { system, user } = process.cpuUsage()
  for (let turn = 0; turn < 5; turn++) {
    await setImmediate()
    collect()
  }
  const { external, heapUsed } = process.memoryUsage()
  return { cpu: (system + user) / 1_000, heap: heapUsed + external, anonymous: anonymousBytes() }
}

const anonymousBytes = (): number | undefined => {
  try {
    const [, kilobytes] = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8")) ?? []
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1_024
  } catch {
    return undefined
  }
}

process.on("message", (message) => {
  if (message === "usage") void usage().then((usage) => process.send?.({ usage }))
})
// it keeps no process from its end
process.channel?.unref()
