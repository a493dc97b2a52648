import { type Host, Pipeline } from "autostop"
import { Effect, Stream } from "effect"
import { Worker } from "node:worker_threads"
import { withNumbers } from "../calls.ts"
import type { Case, Variant } from "../case.ts"
import { timed } from "../measure.ts"

const elements = 1_000
/** What keeps a core busy for about a millisecond. */
const to = 20_000
const primes = 2_262

const measure = (host: Host.HostKind, replicas: number): Promise<number> =>
  withNumbers(
    { host, replicas },
    (client, context) =>
      timed({ warmUp: 1, times: 3 }, elements * primes, () =>
        Stream.range(1, elements).pipe(
          Pipeline.mapParallel(() => client.primes({ to }), { concurrency: 16 }),
          Stream.runFold(() => 0, (sum, n) => sum + n),
          Effect.runPromiseWith(context)
        ))
  )

const variant = (name: string, replicas: number): Variant => ({
  name,
  run: async () => ({ thread: await measure("thread", replicas), process: await measure("process", replicas) })
})

/** What the machine gives: the same work in threads that are told once. */
const bare = (name: string, threads: number): Variant => ({
  name,
  run: async () => {
    const share = elements / threads
    const thread = await timed({ warmUp: 1, times: 3 }, elements * primes, async () => {
      const counts = await Promise.all(Array.from({ length: threads }, () => primesIn(share)))
      return counts.reduce((sum, count) => sum + count, 0)
    })
    return { thread }
  }
})

const primesIn = (times: number): Promise<number> =>
  new Promise((resolve, reject) => {
    const worker = new Worker(new URL("../hosts/rawPrimes.ts", import.meta.url), { workerData: { times, to } })
    worker.once("message", resolve)
    worker.once("error", reject)
  })

export default {
  title: `mapParallel over work for a core, about 1 ms each, ${elements} elements`,
  figures: { thread: "ms", process: "ms" },
  variants: [variant("2 replicas", 2), variant("1 replica", 1), bare("2 bare threads", 2), bare("1 bare thread", 1)],
  // 1.8 times as fast
  targets: [
    { figure: "thread", peer: "1 replica", is: "≤", limit: 0.555 },
    { figure: "process", peer: "1 replica", is: "≤", limit: 0.555 }
  ]
} satisfies Case
