/**
 * The place where jobs run. The same program runs anywhere: only the layer that provides the Environment changes.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type * as Job from "./Job.ts"
import type { JobEvent, JobStatus, StopMode } from "./JobEvent.ts"
import type { PolicyError, Settings } from "./StopPolicy.ts"
import type { StageReport, StopReport } from "./StopReport.ts"

/**
 * The setting that says when a job stops by itself: with `true` when its `run` ends; with `false` only when somebody
 * asks for it, so that its services stay up; with `{ idle }` also when no source has emitted for that long; with `{
 * after }` also when that long has passed since the submit.
 *
 * @category models
 * @since 0.1.0
 */
export type Autostop =
  | boolean
  | { readonly idle: Duration.Input }
  | { readonly after: Duration.Input }

/**
 * The options of a submit.
 *
 * @category models
 * @since 0.1.0
 */
export interface SubmitOptions {
  /** The setting that says when the job stops by itself; `true` by default. */
  readonly autostop?: Autostop | undefined
  /** Settings that win over the job's own, which win over the configuration. */
  readonly stopPolicy?: Settings | undefined
  /** An id of the caller's choice, unique in the environment while the job runs; by default a random UUID. */
  readonly id?: string | undefined
}

/**
 * The arguments of a submit after the job: its payload, which may be left out if the job needs none, and the options.
 *
 * @category models
 * @since 0.2.0
 */
export type SubmitArguments<Payload> = undefined extends Payload
  ? [payload?: Payload, options?: SubmitOptions | undefined]
  : {} extends Payload ? [payload?: Payload | undefined, options?: SubmitOptions | undefined]
  : [payload: Payload, options?: SubmitOptions | undefined]

/**
 * The options of a stop.
 *
 * @category models
 * @since 0.1.0
 */
export interface StopOptions {
  /** The mode of the stop; `drain` by default. */
  readonly mode?: StopMode | undefined
  /** The reason that the report gives. */
  readonly reason?: string | undefined
}

/**
 * A job that was submitted.
 *
 * @category models
 * @since 0.1.0
 */
export interface JobRun<out A, out E> {
  readonly id: string
  readonly status: Effect.Effect<JobStatus>
  /** The counters of its pipelines, as they are now. */
  readonly stages: Effect.Effect<ReadonlyArray<StageReport>>
  /**
   * Emits what happened, from the start until the job has stopped. If `run` itself provides a service again and again, and
   * it stops well, late readers get the last time only, as in the report.
   */
  readonly events: Stream.Stream<JobEvent>
  /** Waits until the last service is gone. Never fails because the job failed: `exit` says how it ended. */
  readonly result: Effect.Effect<{ readonly exit: Exit.Exit<A, E | Job.ServiceError>; readonly report: StopReport }>
  /** Asks for a stop and returns at once; `result` waits for it. A later, harsher stop overtakes a gentle one. */
  readonly stop: (options?: StopOptions) => Effect.Effect<void>
}

/**
 * A submit that was refused. Nothing was started.
 *
 * **Details**
 *
 * `reason` says why: the `payload` does not fit the Schema of the job, the `id` is taken or malformed, the `job` is only a
 * contract or is not known, the `settings` of the configuration cannot be read, the code of the job could not be made a
 * `bundle`, the manager `refused` it, the manager was `busy` for 30 s, or it was `unreachable`.
 *
 * @category errors
 * @since 0.1.0
 */
export class SubmitError extends Schema.TaggedError<SubmitError>()("SubmitError", {
  job: Schema.String,
  reason: Schema.Literals(["payload", "id", "job", "settings", "bundle", "refused", "busy", "unreachable"]),
  message: Schema.String
}) {}

/**
 * The service behind `Environment.submit`: `LocalEnvironment.layer` and `RemoteEnvironment.layer` provide it.
 *
 * @category services
 * @since 0.1.0
 */
export class Environment extends Context.Service<Environment, {
  /** Submits any job; `Environment.submit` gives it the types of the job. */
  readonly submit: (
    job: Job.AnyContract,
    payload: unknown,
    options: SubmitOptions
  ) => Effect.Effect<JobRun<unknown, unknown>, SubmitError | PolicyError, Scope.Scope>
}>()("autostop/Environment") {
  /**
   * Submits a job and returns its run at once. Fails, with nothing started, if the payload or a setting is refused.
   *
   * **Details**
   *
   * The job belongs to its submitter. It is stopped when the Scope closes that it was submitted in, when the fiber that
   * submitted it is interrupted, and when the layer of the environment is released. Each of these waits for the stop.
   */
  static submit<Name extends string, P extends Schema.Top, S extends Schema.Top, E extends Schema.Top>(
    job: Job.Contract<Name, P, S, E>,
    ...[payload, options = {}]: SubmitArguments<P["Type"]>
  ): Effect.Effect<JobRun<S["Type"], E["Type"]>, SubmitError | PolicyError, Environment | Scope.Scope> {
    return Effect.flatMap(
      Environment,
      // safe: the run is that of this very job
      (environment) =>
        environment.submit(job, payload, options) as Effect.Effect<
          JobRun<S["Type"], E["Type"]>,
          SubmitError | PolicyError,
          Scope.Scope
        >
    )
  }

  /** Submits a job, waits until it has stopped, and ends as the job ended. An interrupt stops the job first. */
  static run<Name extends string, P extends Schema.Top, S extends Schema.Top, E extends Schema.Top>(
    job: Job.Contract<Name, P, S, E>,
    ...args: SubmitArguments<P["Type"]>
  ): Effect.Effect<S["Type"], E["Type"] | Job.ServiceError | SubmitError | PolicyError, Environment> {
    return Effect.scoped(Effect.flatMap(
      Environment.submit(job, ...args),
      (run) => Effect.flatMap(run.result, ({ exit }) => exit)
    ))
  }
}
