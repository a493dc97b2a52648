/**
 * A server that runs jobs for others, each in a process of its own: what `autostop serve` starts, for programs.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"

/**
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** The modules whose jobs can be submitted by their names, as URLs. */
  readonly jobs: ReadonlyArray<URL | string>
  /** The folder for logs, for what its jobs leave behind if it dies, and for the store where none is named. */
  readonly folder: string
  /** The path of an SQLite file, or a `postgres://` URL; by default `jobs.db` in the folder. */
  readonly store?: string | undefined
  /** `127.0.0.1` by default. An address that others can reach takes a token. */
  readonly host?: string | undefined
  /** 19001 by default; 0 for one that is free. */
  readonly port?: number | undefined
  /** Who may do what: `read` looks, `operate` also submits, stops and removes. Without any, this machine alone may. */
  readonly tokens?:
    | ReadonlyArray<{ readonly token: string | Redacted.Redacted; readonly role: "read" | "operate" }>
    | undefined
  /** How many jobs run at once, 4 by default; the others wait. */
  readonly concurrency?: number | undefined
}

/**
 * A manager that does not start: a module that exports no job, a store that cannot be opened, an address that is taken or
 * may not be served without a token. Nothing was started.
 *
 * @category errors
 * @since 0.1.0
 */
export class JobManagerError extends Schema.TaggedError<JobManagerError>()("JobManagerError", {
  message: Schema.String
}) {}

/**
 * A manager that runs: where it listens, what it can run, and how to end what it runs without waiting.
 *
 * @category services
 * @since 0.1.0
 */
export class JobManager extends Context.Service<JobManager, {
  readonly url: string
  /** The names of the jobs that are registered. */
  readonly jobs: ReadonlyArray<string>
  /** Kills every job that runs. */
  readonly kill: (reason: string) => Effect.Effect<void>
}>()("autostop/JobManager") {
  /**
   * Serves until its Scope closes: then it takes no more jobs, and stops those that run by their own policies. What is
   * queued is kept, for the next manager with that store.
   */
  static layer(options: Options): Layer.Layer<JobManager, JobManagerError> {
    return layer(options)
  }
}

// a server and its database take a while to load: who has none does not wait for them
const layer = (options: Options): Layer.Layer<JobManager, JobManagerError> =>
  Layer.unwrap(
    Effect.map(
      Effect.promise(() => import("./manager/jobManager.ts")),
      ({ make }) => Layer.effect(JobManager, make(options))
    )
  )
