/**
 * A job manager: a server that runs jobs for others, each in a process of its own. `autostop serve` starts one from the
 * command line, this module starts one in a program.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { JobManagerError, Options, StartedManager } from "./manager/jobManagerOptions.ts"

export { JobManagerError, type Options } from "./manager/jobManagerOptions.ts"

/**
 * A job manager that runs: its URL, the names of its registered jobs, and a way to kill the jobs that run.
 *
 * @see `autostop serve`, the same from the command line
 * @category services
 * @since 0.1.0
 */
export class JobManager extends Context.Service<JobManager, StartedManager>()("autostop/JobManager") {
  /**
   * Starts a manager, and serves until the layer's Scope closes. Fails with a `JobManagerError` if an option cannot be
   * used, a module has no job, or the folder, the store or the address cannot be used.
   *
   * **Details**
   *
   * When the Scope closes, the manager takes no more jobs, and stops those that run by their own policies. Queued jobs, and
   * jobs with a restart policy, stay in the store: the next manager with this store runs them.
   *
   * @since 0.1.0
   */
  static layer(options: Options): Layer.Layer<JobManager, JobManagerError> {
    return layer(options)
  }
}

// these are imported on use, because a server and its database take long to load
const layer = (options: Options): Layer.Layer<JobManager, JobManagerError> =>
  Layer.unwrap(
    Effect.map(
      Effect.promise(() => import("./manager/startManager.ts")),
      ({ startManager }) => Layer.effect(JobManager, startManager(options))
    )
  )
