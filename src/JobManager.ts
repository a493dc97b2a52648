/**
 * A server that runs jobs for others, each in a process of its own: what `autostop serve` starts, for programs.
 *
 * @since 0.1.0
 */
import type * as ByteSize from "effect/ByteSize"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
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
  /**
   * What each job may take; nothing is limited by default, and one that is submitted may be given less. A job whose
   * processes have more memory than that is cancelled, and fails; one that runs for longer is stopped.
   */
  readonly limits?: {
    readonly memory?: ByteSize.Input | undefined
    readonly time?: Duration.Input | undefined
  } | undefined
  /**
   * How long jobs that have stopped are kept, with their events, reports and logs: for 30 days by default, `Infinity` for
   * ever; and how many at most, any number by default. The latest are kept.
   */
  readonly keep?: {
    readonly age?: Duration.Input | undefined
    readonly jobs?: number | undefined
  } | undefined
  /** How much is kept of what each job prints, 16 MiB by default; the oldest lines go first. */
  readonly logs?: ByteSize.Input | undefined
  /**
   * Whether clients may bring jobs of their own, `true` by default; `false` runs those that are registered alone.
   *
   * *Details*: what is brought runs at the risk of the user that the manager runs as. It gets Node's permission model, in
   * which it reads only its own files and starts no processes, but for what is allowed here. Node says of it that it
   * keeps from mistakes, not from malice: threads, and processes, are not bound by it.
   */
  readonly uploads?: boolean | {
    /** The files and folders that it may read and write. */
    readonly read?: ReadonlyArray<string> | undefined
    readonly write?: ReadonlyArray<string> | undefined
    /** Whether it may start processes, also for services of its own. */
    readonly processes?: boolean | undefined
  } | undefined
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
