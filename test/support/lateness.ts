import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { Worker } from "node:worker_threads"

const waitMs = 20
const workMs = 2

/** Waits and works in turn, in a thread of its own, and adds up how much longer than that it takes. */
const sampler = `
  const { workerData } = require("node:worker_threads")
  const late = new Float64Array(workerData)
  const sample = () => {
    const begin = performance.now()
    setTimeout(() => {
      const cpu = process.threadCpuUsage()
      let used = 0
      while (used < ${workMs * 1_000}) {
        const now = process.threadCpuUsage(cpu)
        used = now.user + now.system
      }
      late[0] += Math.max(0, performance.now() - begin - ${waitMs + workMs})
      sample()
    }, ${waitMs})
  }
  sample()
`

/**
 * Measures how late the machine is until the Scope closes. The effect that it gives returns the milliseconds since the start that a thread lost because others
 * had the processor. A test whose behaviour is a bound on time takes them off: `assert.isBelow(took - (yield* lateness), bound)`.
 */
export const measureLateness: Effect.Effect<Effect.Effect<number>, never, Scope.Scope> = Effect.map(
  Effect.acquireRelease(
    Effect.callback<{ readonly worker: Worker; readonly late: Float64Array }>((resume) => {
      const buffer = new SharedArrayBuffer(8)
      const worker = new Worker(sampler, { eval: true, workerData: buffer })
      worker.once("online", () => resume(Effect.succeed({ worker, late: new Float64Array(buffer) })))
      worker.once("error", (error) => resume(Effect.die(error)))
    }),
    ({ worker }) => Effect.promise(() => worker.terminate())
  ),
  ({ late }) => Effect.sync(() => late[0] ?? 0)
)
