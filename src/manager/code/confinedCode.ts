/**
 * Closes what Node's permission model leaves open, before any uploaded code runs, in its process and in each of its threads:
 * a thread that is given arguments of its own has all permissions, and signals reach any process of the user.
 */
import { createRequire, syncBuiltinESMExports } from "node:module"
import type { Worker, WorkerOptions } from "node:worker_threads"

// code that comes later may replace these
const { apply, construct } = Reflect
const { isInteger } = Number
const own = process.pid

const threads = createRequire(import.meta.url)("node:worker_threads")
// safe: this is the module of Node's own
const original = (threads as { Worker: typeof Worker }).Worker

/** A thread has the arguments of its process, and with them its permissions. */
const confined = (given?: WorkerOptions): WorkerOptions => {
  // getters are read once
  const options = { ...given }
  delete options.execArgv
  if (typeof options.env !== "object" || options.env === null) return options
  const env: NodeJS.ProcessEnv = { ...options.env }
  delete env["NODE_OPTIONS"]
  return { ...options, env }
}

const ConfinedWorker: typeof Worker = new Proxy(original, {
  construct: (target, [file, options], newTarget) =>
    construct(target, [file, confined(options)], newTarget === ConfinedWorker ? target : newTarget)
})
Object.defineProperty(original.prototype, "constructor", { value: ConfinedWorker })
threads.Worker = ConfinedWorker

/** Code that may start processes can have them send any signal. */
if (!process.permission.has("child")) {
  const isOwn = (pid: unknown): boolean => isInteger(pid) && (pid === own || pid === -own)
  for (const name of ["kill", "_kill"] as const) {
    // safe: `_kill` is what `kill` calls
    const holder = process as unknown as Record<typeof name, (...args: ReadonlyArray<unknown>) => unknown>
    const send = holder[name]
    // nothing else leads to what was there before
    holder[name] = (pid: unknown, ...args: ReadonlyArray<unknown>): unknown => {
      if (isOwn(pid)) return apply(send, process, [pid, ...args])
      throw Object.assign(new Error("signals to other processes are not permitted"), { code: "ERR_ACCESS_DENIED" })
    }
  }
}
syncBuiltinESMExports()
