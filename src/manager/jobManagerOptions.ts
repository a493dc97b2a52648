/** The contract of `JobManager`: its options, its error, and the manager that it starts. */
import type * as ByteSize from "effect/ByteSize"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"

/**
 * The options of a job manager. Sizes are numbers of bytes or texts such as `"512 MiB"`; durations are numbers of
 * milliseconds or texts such as `"5 seconds"`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** The URLs of the modules whose jobs clients can submit by name. Each exports one job, or one as its default. */
  readonly jobs: ReadonlyArray<URL | string>
  /** The folder for logs, uploaded code, results that no manager has read yet, and by default the store. */
  readonly folder: string
  /** The path of an SQLite file, or a `postgres://` URL; `jobs.db` in the folder by default. */
  readonly store?: string | undefined
  /** The address to listen on, `127.0.0.1` by default. An address that other machines can reach needs `tokens`. */
  readonly host?: string | undefined
  /** The port to listen on, 19001 by default; 0 picks a free one. */
  readonly port?: number | undefined
  /**
   * The tokens that clients may use: `read` may look at jobs, `operate` may also submit, stop and remove them. A token has at
   * least 16 characters. Without tokens the manager makes one at each start, which only programs of its own user find.
   */
  readonly tokens?:
    | ReadonlyArray<{ readonly token: string | Redacted.Redacted; readonly role: "read" | "operate" }>
    | undefined
  /**
   * The permission of every process of this machine to use the manager without a token, `false` by default. Whoever has an
   * account here may then run code as the manager's user.
   */
  readonly open?: boolean | undefined
  /** The largest number of jobs that run at once, 4 by default; the others wait in the queue. */
  readonly concurrency?: number | undefined
  /**
   * The largest number of processes that have loaded everything but a job's module, and wait for a job: one for each free
   * slot, 2 by default. With 0 each job waits for its process to load. A spare takes some 40 MB of memory; none is started
   * while less than 512 MiB are available. Uploaded code, and a job with variables or a memory limit of its own, have none.
   */
  readonly spares?: number | undefined
  /**
   * The limits of each job. `memory` and `time` have none by default. A submission may ask for less, not for more.
   *
   * `memory` is that of the job's processes together: a job that uses more is cancelled, and fails. `time` is measured from
   * the start of its process: a job that runs for longer is stopped by its own policy. `events` is the size of the
   * events that one attempt may emit, 256 MiB by default: a job that emits more is cancelled, and fails.
   */
  readonly limits?: {
    readonly memory?: ByteSize.Input | undefined
    readonly time?: Duration.Input | undefined
    readonly events?: ByteSize.Input | undefined
  } | undefined
  /**
   * The limits within which stopped jobs are kept, with their events, reports and logs. `age` is 30 days by default,
   * and `Infinity` stands for ever. `jobs` is their largest number, unlimited by default; the latest are kept.
   */
  readonly keep?: {
    readonly age?: Duration.Input | undefined
    readonly jobs?: number | undefined
  } | undefined
  /**
   * The environment variables of jobs, besides `PATH`, `HOME`, `TMPDIR`, `LANG`, `LC_*`, `TZ`, `NODE_OPTIONS`,
   * `NODE_COMPILE_CACHE` and `AUTOSTOP_*`. No value of them is ever in the store. A job never gets the manager's own tokens and
   * store, and `AUTOSTOP_RAY_TOKEN` only as one of these.
   */
  readonly env?: {
    /** The names of variables of this process that each job gets. */
    readonly each?: ReadonlyArray<string> | undefined
    /** The variables that a job gets if its submit names them (`env` of its run options). */
    readonly byName?: Readonly<Record<string, string>> | undefined
  } | undefined
  /** The largest size of each job's output that is kept, 16 MiB by default; the oldest lines are removed first. */
  readonly logs?: ByteSize.Input | undefined
  /** The limits of what clients may send. */
  readonly requests?: {
    /** The size of the largest body, and so of the largest payload; 1 MiB by default. */
    readonly body?: ByteSize.Input | undefined
    /** The size of the largest bundle, 16 MiB by default. */
    readonly upload?: ByteSize.Input | undefined
    /** The largest number of open connections, 1,024 by default; further ones are closed at once. */
    readonly connections?: number | undefined
    /** The largest number of jobs that wait for a place or for their restart, 10,000 by default; further submits are refused. */
    readonly queued?: number | undefined
    /** The size of all bundles together, 1 GiB by default; further uploads are refused. */
    readonly bundles?: ByteSize.Input | undefined
  } | undefined
  /**
   * The permission of clients to upload the code of their jobs, `true` by default; with `false` only registered jobs
   * run.
   *
   * **Details**
   *
   * Uploaded code runs as the manager's user, under Node's permission model: it reads only its own files and starts no
   * processes, except as allowed here. Node says that this model protects against mistakes and not against malice:
   * `docs/security.md` says what is closed, and what remains. The network is not bound.
   */
  readonly uploads?: boolean | {
    /** The files and folders that uploaded code may read, besides its own. None by default. */
    readonly read?: ReadonlyArray<string> | undefined
    /** The files and folders that it may write. None by default. */
    readonly write?: ReadonlyArray<string> | undefined
    /** The permission to start processes, which includes services in processes. `false` by default. */
    readonly processes?: boolean | undefined
  } | undefined
}

/**
 * A manager cannot start. Nothing was started.
 *
 * **Details**
 *
 * The reason is
 * - `settings`: an option cannot be used;
 * - `module`: a module cannot be loaded, exports no job, or exports a job whose name another one has;
 * - `folder`: the folder cannot be written, others may write it, or another manager works in it;
 * - `store`: the store cannot be opened;
 * - `address`: another process listens on the address, or other machines can reach it and there are no tokens.
 *
 * @category errors
 * @since 0.1.0
 */
export class JobManagerError extends Schema.TaggedError<JobManagerError>()("JobManagerError", {
  reason: Schema.Literals(["settings", "module", "folder", "store", "address"]),
  message: Schema.String
}) {}

/** A manager that has started. */
export interface StartedManager {
  /** The URL that the manager listens on. */
  readonly url: string
  /**
   * A token with the role `operate`: the one that the manager has made, or the first that it was given. `undefined` if it is
   * open, or its tokens only read.
   */
  readonly token: Redacted.Redacted | undefined
  /** The names of the registered jobs. */
  readonly jobs: ReadonlyArray<string>
  /** Kills every job that runs, and returns at once. `reason` goes into their reports. */
  readonly kill: (reason: string) => Effect.Effect<void>
}
