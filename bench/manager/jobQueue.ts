/** Other ways to run jobs: libraries that have a package of their own, so that the project depends on none of them. */
import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { startPostgres } from "../../test/support/postgres.ts"
import { redisFile, startRedis } from "./redis.ts"

/** Where jobs are run: nowhere, so that they are only submitted, or by workers of one kind. */
export type Runs = "nothing" | "in process" | "in reused processes" | "in reused processes, effect" | "in threads"

export interface JobQueue {
  /** Resolves when the submit was answered. */
  readonly submit: (id: string) => Promise<unknown>
  /** Submits a job that does nothing, and resolves when its submitter knows of its end. */
  readonly run: (id: string) => Promise<void>
  readonly close: () => Promise<unknown>
}

export interface OpenOptions {
  /** The URL of what the queue is kept in, if it is kept. */
  readonly url: string
  readonly runs: Runs
  /** How many jobs run at once. */
  readonly concurrency: number
}

/** What each of the modules in bench/peers exports. */
export type Open = (options: OpenOptions) => Promise<JobQueue>

/** A library, and what it is kept in: Redis and PostgreSQL are started for it, and commit to disk. */
export interface Library {
  readonly name: string
  readonly module: string
  readonly store: "redis" | "postgres" | "memory"
}

const packages = new URL("../peers/node_modules/", import.meta.url)

/** Says what a library needs that is not there. */
export const lackOf = ({ module, store }: Library): string | undefined => {
  if (!existsSync(fileURLToPath(packages))) {
    return `${module} is not installed: npm run bench:manager installs it`
  }
  return store === "redis" && redisFile() === undefined
    ? "redis-server is not on the PATH: install it to compare with BullMQ"
    : undefined
}

const noServer = { url: "", stop: () => Promise.resolve() }

const serverOf = async (store: Library["store"]) => {
  switch (store) {
    case "memory":
      return noServer
    case "redis":
      return startRedis()
    case "postgres": {
      const { fresh, stop } = await startPostgres({ durable: true })
      return { url: fresh(), stop }
    }
  }
}

/** A queue of a library, for something that measures. */
export const withQueue = async <A>(
  { module, store }: Library,
  options: Omit<OpenOptions, "url">,
  use: (queue: JobQueue) => Promise<A>
): Promise<A> => {
  const server = await serverOf(store)
  try {
    const { open }: { readonly open: Open } = await import(new URL(`../peers/${module}.mjs`, import.meta.url).href)
    const queue = await open({ ...options, url: server.url })
    const value = await use(queue)
    await queue.close()
    return value
  } finally {
    await server.stop()
  }
}

export const libraries = {
  bullmq: { name: "BullMQ", module: "bullmq", store: "redis" },
  graphileWorker: { name: "graphile-worker", module: "graphileWorker", store: "postgres" },
  pgBoss: { name: "pg-boss", module: "pgBoss", store: "postgres" },
  bree: { name: "Bree", module: "bree", store: "memory" }
} as const satisfies Readonly<Record<string, Library>>
