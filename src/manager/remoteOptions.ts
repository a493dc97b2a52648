/** The contract of `RemoteEnvironment`: its options, and how a manager runs a submitted job. */
import type * as ByteSize from "effect/ByteSize"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Redacted from "effect/Redacted"

/**
 * The options of {@link layer}. Durations are numbers of milliseconds or texts such as `"5 seconds"`.
 *
 * @category models
 * @since 0.1.0
 */
export interface RemoteOptions {
  /** The URL of the manager, such as `http://127.0.0.1:19001`. */
  readonly url: string
  /** A token with the role `operate`, if the manager requires tokens. */
  readonly token?: string | Redacted.Redacted | undefined
  /**
   * What happens to the jobs if this process dies or loses its network: with `detach` (the default) they continue; with
   * `stop` each has a lease that this process renews, and the manager stops a job 15 seconds after the last renewal.
   */
  readonly onDisconnect?: "detach" | "stop" | undefined
  /**
   * Whether a job that names its `module` is bundled and uploaded, `true` by default. Otherwise it is the job that is
   * registered at the manager by that name.
   */
  readonly upload?: boolean | undefined
  /** How long a connection may be silent until it is treated as lost, 30 seconds by default. */
  readonly silence?: Duration.Input | undefined
}

/**
 * Whether and when a job starts again after it has failed, or was lost with its process, machine or manager. A policy alone
 * means that policy with the defaults below.
 *
 * **Details**
 *
 * A job that was asked to stop does not start again. A manager that is stopped stops its jobs, and the next one starts
 * those with a restart policy again. The policies are those of Flink's restart strategies.
 *
 * @category models
 * @since 0.1.0
 */
export type Restart = RestartPolicy | {
  /**
   * `never` (the default); `fixed`, after the same delay each time; `exponential`, after a delay that grows each time;
   * `failure-rate`, after the same delay until the job has failed too often within one interval.
   */
  readonly policy: RestartPolicy
  /** The delay, or for `exponential` the first one. 1 second by default. */
  readonly delay?: Duration.Input | undefined
  /** `fixed`, `exponential`: the largest number of restarts; unlimited by default. */
  readonly times?: number | undefined
  /** `exponential`: the factor by which the delay grows, 2 by default. */
  readonly factor?: number | undefined
  /** `exponential`: the longest delay, 30 seconds by default. */
  readonly maxDelay?: Duration.Input | undefined
  /** `failure-rate`: how many failures within one `interval` lead to a restart, 3 by default. */
  readonly failures?: number | undefined
  /** `failure-rate`: the interval, 1 minute by default. */
  readonly interval?: Duration.Input | undefined
}
/**
 * The name of a restart policy; {@link Restart} explains each.
 *
 * @category models
 * @since 0.1.0
 */
export type RestartPolicy = "never" | "fixed" | "exponential" | "failure-rate"

/**
 * How a manager runs a submitted job.
 *
 * @category models
 * @since 0.1.0
 */
export interface RunOptions {
  /** Jobs of a higher priority leave the queue first; a whole number, 0 by default. */
  readonly priority?: number | undefined
  /** Whether and when the job starts again; `never` by default. */
  readonly restart?: Restart | undefined
  /**
   * How much memory the processes of the job and of its hosts may use together, in bytes or as text such as `"2 GB"`. A job
   * that uses more is cancelled, and fails. The manager's own limit by default.
   */
  readonly memory?: ByteSize.Input | undefined
  /**
   * How long the job may run from the start of its process until it is stopped, whatever its `autostop` is. The manager's
   * own limit by default.
   */
  readonly timeLimit?: Duration.Input | undefined
}

/**
 * The {@link RunOptions} of the jobs that a program submits, or of one submit. All defaults if it is not provided.
 *
 * ```ts
 * import { Environment, Job, RemoteEnvironment } from "autostop"
 * import { Effect } from "effect"
 *
 * const flights = Job.make("flights")
 *
 * Environment.run(flights).pipe(
 *   Effect.provideService(RemoteEnvironment.RunOptions, { restart: "exponential", memory: "2 GB" }),
 *   Effect.provide(RemoteEnvironment.layer({ url: "http://127.0.0.1:19001" }))
 * )
 * ```
 *
 * @category references
 * @since 0.1.0
 */
export const RunOptions = Context.Reference<RunOptions>("autostop/RemoteEnvironment/RunOptions", {
  defaultValue: () => ({})
})
