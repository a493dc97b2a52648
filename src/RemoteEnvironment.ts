/**
 * Runs jobs at a job manager, over its HTTP API. A contract is enough where the manager has the implementation. A job
 * that names its `module` is bundled, uploaded once, and run there.
 *
 * @since 0.1.0
 */
import type * as ByteSize from "effect/ByteSize"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import type { Environment } from "./Environment.ts"

/**
 * @category models
 * @since 0.1.0
 */
export interface RemoteOptions {
  /** Where the manager is, such as `http://127.0.0.1:19001`. */
  readonly url: string
  /** One with the role `operate`, where the manager asks for one. */
  readonly token?: string | Redacted.Redacted | undefined
  /**
   * What becomes of the jobs when this process dies, or its network does: `detach` (the default) lets them run; `stop`
   * gives each a lease that this process renews, and the manager stops the job within 15 seconds of the last renewal.
   */
  readonly onDisconnect?: "detach" | "stop" | undefined
  /**
   * Whether a job that names its `module` is bundled and brought along, `true` by default; otherwise, as any other, it is
   * the one that is registered by its name.
   */
  readonly upload?: boolean | undefined
  /** How long the manager may send nothing until a connection counts as lost. 30 seconds by default. */
  readonly silence?: Duration.Input | undefined
}

/**
 * Whether a job begins again when it has failed, or was lost with its process, its machine or its manager; one that was
 * stopped does not. A manager that is stopped itself stops it too, and the next one begins it again. With a policy alone
 * the rest is as it stands here. The ideas are those of Flink's restart strategies.
 *
 * @category models
 * @since 0.1.0
 */
export type Restart = RestartPolicy | {
  /**
   * `never` (the default); `fixed`, after the same delay each time; `exponential`, after a delay that grows each time;
   * `failure-rate`, after the same delay until it has failed too often within one interval.
   */
  readonly policy: RestartPolicy
  /** The delay, or the first one. 1 second by default. */
  readonly delay?: Duration.Input | undefined
  /** `fixed`, `exponential`: how often at most; without end by default. */
  readonly times?: number | undefined
  /** `exponential`: by what the delay grows, 2 by default, and up to what, 30 seconds by default. */
  readonly factor?: number | undefined
  readonly maxDelay?: Duration.Input | undefined
  /** `failure-rate`: how many failures within one interval are followed by a restart, 3 in 1 minute by default. */
  readonly failures?: number | undefined
  readonly interval?: Duration.Input | undefined
}
/**
 * @category models
 * @since 0.1.0
 */
export type RestartPolicy = "never" | "fixed" | "exponential" | "failure-rate"

/**
 * @category models
 * @since 0.1.0
 */
export interface RunOptions {
  /** Jobs of a higher priority leave the queue first; 0 by default. */
  readonly priority?: number | undefined
  readonly restart?: Restart | undefined
  /** What its process and those of its hosts may have of memory together; with more it is cancelled, and fails. */
  readonly memory?: ByteSize.Input | undefined
  /** How long it may run, from the start of its process until it is stopped, whatever its `autostop` is. */
  readonly timeLimit?: Duration.Input | undefined
}

/**
 * How a manager runs what is submitted: for a whole program, or for one submit, as with any Context.Reference.
 *
 * ```ts
 * Environment.submit(flights, payload).pipe(
 *   Effect.provideService(RemoteEnvironment.RunOptions, { restart: "exponential", memory: "2 GB" })
 * )
 * ```
 *
 * @category references
 * @since 0.1.0
 */
export const RunOptions = Context.Reference<RunOptions>("autostop/RemoteEnvironment/RunOptions", {
  defaultValue: () => ({})
})

/**
 * An Environment at a manager. As everywhere, a job belongs to its submitter: it is stopped when the Scope it was
 * submitted in closes, when the fiber that submitted it is interrupted, and when this layer is released.
 *
 * *Details*: connections that break are made again, for as long as it takes, and nothing of the events is missed or told
 * twice. `status`, `stages`, `stop` and `result` wait for the manager to be back. Once it refuses to answer (the job
 * was removed, the token is no longer known) they die.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: RemoteOptions): Layer.Layer<Environment> =>
  // an HTTP client takes a while to load: who runs jobs here does not wait for it
  Layer.unwrap(
    Effect.map(Effect.promise(() => import("./manager/client/remoteEnvironment.ts")), (remote) => remote.layer(options))
  )
