/**
 * Runs jobs at a job manager, over its HTTP API. A contract is enough: the manager has the implementation.
 *
 * @since 0.1.0
 */
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
  /** How long the manager may send nothing until a connection counts as lost. 30 seconds by default. */
  readonly silence?: Duration.Input | undefined
}

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
    Effect.map(Effect.promise(() => import("./manager/remoteEnvironment.ts")), (remote) => remote.layer(options))
  )
