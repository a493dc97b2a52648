/**
 * Runs jobs at a job manager, over its HTTP API. If a job names its `module`, the module is bundled, uploaded once, and run
 * there. Otherwise the contract of the job is enough here, and its implementation is registered at the manager.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Environment } from "./Environment.ts"
import type { RemoteOptions } from "./manager/remoteOptions.ts"

export { type RemoteOptions, type Restart, type RestartPolicy, RunOptions } from "./manager/remoteOptions.ts"

/**
 * An Environment that runs jobs at a manager. A submit fails with a `SubmitError` if the manager refuses the job or cannot
 * be reached, and with a `PolicyError` if a setting cannot be used.
 *
 * **Details**
 *
 * As in every Environment, a job belongs to its submitter: it is stopped when the Scope it was submitted in closes, when
 * the fiber that submitted it is interrupted, and when this layer is released.
 *
 * A connection that breaks is made again, for as long as it takes. No event is missed or emitted twice. `status`, `stages`,
 * `stop` and `result` wait until the manager can be reached again. They die if it refuses to answer, because the job was
 * removed or the token is no longer valid.
 *
 * @see `JobManager.layer` and `autostop serve`, which start a manager
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: RemoteOptions): Layer.Layer<Environment> =>
  // this is imported on use, because an HTTP client takes long to load
  Layer.unwrap(
    Effect.map(Effect.promise(() => import("./manager/client/remoteEnvironment.ts")), (remote) => remote.layer(options))
  )
