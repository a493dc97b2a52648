/** Jobs that do nothing: from their submit to their report, or only until their submit is answered. */
import { fork } from "node:child_process"
import { once } from "node:events"
import { availableParallelism } from "node:os"
import { setTimeout } from "node:timers/promises"
import { startPostgres } from "../test/support/postgres.ts"
import type { Case, Figures, Variant } from "./case.ts"
import { clientOf } from "./manager/client.ts"
import { lackOf, libraries, type Library, type Runs, withQueue } from "./manager/jobQueue.ts"
import { read, Served } from "./manager/served.ts"
import { expect } from "./measure.ts"

/** How many processes run at once, as is the default of the command line. */
const concurrency = Math.max(4, availableParallelism())

/** The milliseconds that each of `count` actions takes, that many at once. */
const each = async (count: number, inFlight: number, action: (id: string) => Promise<unknown>): Promise<number> => {
  let next = 0
  const loop = async () => {
    while (next < count) await action(`job-${next++}`)
  }
  const since = performance.now()
  await Promise.all(Array.from({ length: inFlight }, loop))
  return (performance.now() - since) / count
}

type Store = "SQLite" | "PostgreSQL"

/** A job manager, for something that measures. */
const withServed = async (store: Store, jobs: number, use: (served: Served) => Promise<Figures>): Promise<Figures> => {
  const postgres = store === "PostgreSQL" ? await startPostgres({ durable: true }) : undefined
  const served = await Served.start(jobs, { store: postgres?.fresh() })
  const figures = await use(served)
  await served.close()
  await postgres?.stop()
  return figures
}

const ours = (store: Store, run: Variant["run"]): Variant => ({
  name: store === "SQLite" ? "autostop serve" : `autostop serve, ${store}`,
  run
})

const toReport = (store: Store, count: number, inFlight: number): Variant =>
  ours(store, () =>
    withServed(store, concurrency, async (served) => {
      const act = async (id: string) => {
        await served.submit(id, "end")
        await read(served.eventsOf(id))
        expect(await served.isClean(id), true)
      }
      await act("warm-up")
      return { time: await each(count, inFlight, act) }
    }))

const forked = (name: string, module: string, count: number, inFlight: number): Variant => ({
  name,
  run: async () => {
    const act = async () => {
      const [code] = await once(fork(new URL(`./manager/${module}`, import.meta.url)), "exit")
      expect(code, 0)
    }
    await act()
    return { time: await each(count, Math.min(inFlight, concurrency), act) }
  }
})

const queued = (library: Library, runs: Runs, count: number, inFlight: number): Variant => ({
  name: `${library.name}, ${runs}`,
  lacks: () => lackOf(library),
  run: () =>
    withQueue(library, { concurrency, runs }, async (queue) => {
      for (let n = 0; n < concurrency; n++) await queue.run(`warm-up-${n}`)
      // what runs at most so many at once by itself, and what does not
      const atOnce = library.store === "memory" ? Math.min(inFlight, concurrency) : inFlight
      return { time: await each(count, atOnce, queue.run) }
    })
})

/** From the submit of each job to its report. */
export const submits = (count: number, inFlight: number): Case => {
  const of = (library: Library, runs: Runs) => queued(library, runs, count, inFlight)
  return {
    title: `submits of a job that does nothing, ${inFlight} at once, time for each of ${count} to its report ` +
      `(${concurrency} processes at once)`,
    figures: { time: "ms" },
    variants: [
      toReport("SQLite", count, inFlight),
      toReport("PostgreSQL", count, inFlight),
      forked("fork", "empty.mjs", count, inFlight),
      forked("fork, effect", "effectful.ts", count, inFlight),
      of(libraries.bullmq, "in process"),
      of(libraries.bullmq, "in reused processes"),
      of(libraries.bullmq, "in reused processes, effect"),
      of(libraries.graphileWorker, "in process"),
      of(libraries.pgBoss, "in process"),
      of(libraries.bree, "in threads")
    ],
    targets: inFlight === 1
      ? [{ figure: "time", peer: "fork", is: "≤", limit: 4 }]
      : [{ figure: "time", peer: "fork, effect", is: "≤", limit: 0.5 }]
  }
}

/** How many clients submit at once, and how many jobs they submit. */
const [clients, submitted] = [64, 3_000]

/** Jobs that stay in the queue: another one has the only place. */
const toAnswer = (store: Store): Variant =>
  ours(store, () =>
    withServed(store, 1, async (served) => {
      await served.submit("first", "wait")
      while (await served.metric("autostop_jobs{state=\"running\"}") < 1) await setTimeout(20)
      const client = clientOf(served.url, clients)
      await each(1_000, clients, (id) => client.submit(`warm-up-${id}`, "end"))
      const time = await each(submitted, clients, (id) => client.submit(id, "end"))
      await client.close()
      return { time }
    }))

const queuedOnly = (library: Library): Variant => ({
  name: library.name,
  lacks: () => lackOf(library),
  run: () =>
    withQueue(library, { concurrency, runs: "nothing" }, async ({ submit }) => {
      await each(1_000, clients, (id) => submit(`warm-up-${id}`))
      return { time: await each(submitted, clients, submit) }
    })
})

/** Until the submit of each job is answered. */
export const answers = (): Case => ({
  title: `submits by ${clients} clients, time for each of ${submitted} until it is answered, on disk`,
  figures: { time: "ms" },
  variants: [
    toAnswer("SQLite"),
    toAnswer("PostgreSQL"),
    queuedOnly(libraries.graphileWorker),
    queuedOnly(libraries.pgBoss),
    queuedOnly(libraries.bullmq)
  ],
  targets: [{ figure: "time", peer: "graphile-worker", is: "≤", limit: 1 }]
})
