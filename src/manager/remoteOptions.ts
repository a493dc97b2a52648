/** The contract of `RemoteEnvironment`: its options, and those of a job at a manager. */
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
  /**
   * A token with the role `operate`. It may be left out for a manager of this user at a loopback URL that was started without
   * tokens: the one that it has made is found.
   */
  readonly token?: string | Redacted.Redacted | undefined
  /**
   * The rule for the jobs if this process dies or loses its network: with `detach` (the default) they continue; with
   * `stop` each has a lease that this process renews, and the manager stops a job 15 seconds after the last renewal.
   */
  readonly onDisconnect?: "detach" | "stop" | undefined
  /**
   * The choice to bundle and upload a job that names its `module`, `true` by default. With `false` the manager runs the
   * job that is registered there by that name.
   */
  readonly upload?: boolean | undefined
  /** The time after which a silent connection is treated as lost, 30 seconds by default. */
  readonly silence?: Duration.Input | undefined
}

/**
 * The policy by which a job starts again after it has failed, or was lost with its process, machine or manager. The
 * name of a policy alone means that policy with the defaults below.
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
  /** `failure-rate`: the number of failures within one `interval` that lead to a restart, 3 by default. */
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
 * The options with which a manager runs a submitted job.
 *
 * @category models
 * @since 0.1.0
 */
export interface RunOptions {
  /** Jobs of a higher priority leave the queue first; a whole number, 0 by default. */
  readonly priority?: number | undefined
  /** The policy by which the job starts again; `never` by default. */
  readonly restart?: Restart | undefined
  /**
   * The memory that the processes of the job and of its hosts may use together, in bytes or as text such as `"2 GB"`. A
   * job that uses more is cancelled, and fails. The manager's own limit by default.
   */
  readonly memory?: ByteSize.Input | undefined
  /**
   * The time from the start of its process after which the job is stopped, whatever its `autostop` is. The manager's
   * own limit by default.
   */
  readonly timeLimit?: Duration.Input | undefined
  /** The names of variables that the manager has for jobs, and that this job gets. Their values stay at the manager. */
  readonly env?: ReadonlyArray<string> | undefined
}

/**
 * The {@link RunOptions} of the jobs that a program submits, or of one submit. All defaults if it is not provided.
 *
 * ```ts
 * import { Environment, Job, RemoteEnvironment } from "autostop"
 * import { Effect } from "effect"
 *
 * const Nightly = Job.make("nightly")
 *
 * const program = Environment.run(Nightly).pipe(
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
