/**
 * Where jobs run. The same program runs anywhere: only the layer that provides the Environment changes.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"
import type * as Job from "./Job.ts"
import type { JobEvent, JobStatus, StopMode } from "./JobEvent.ts"
import { PolicyError, type Settings } from "./StopPolicy.ts"
import type { StageReport, StopReport } from "./StopReport.ts"

/**
 * When a job stops by itself: `true` when its `run` ends; `false` only when it is asked to, its services stay up;
 * `{ idle }` also when no source has emitted for that long; `{ after }` also when that long has passed since the submit.
 *
 * @category models
 * @since 0.1.0
 */
export type Autostop =
  | boolean
  | { readonly idle: Duration.Input }
  | { readonly after: Duration.Input }

/**
 * @category models
 * @since 0.1.0
 */
export interface SubmitOptions {
  /** `true` by default. */
  readonly autostop?: Autostop | undefined
  /** Wins over the job's own settings, which win over the configuration. */
  readonly stopPolicy?: Settings | undefined
  /** An id of the caller's choice; unique in the environment while the job runs. A random UUID by default. */
  readonly id?: string | undefined
}

/**
 * How a stop is asked for.
 *
 * @category models
 * @since 0.1.0
 */
export interface StopOptions {
  /** `drain` by default. */
  readonly mode?: StopMode | undefined
  /** For the report. */
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
   * What happened, from the start, until the job has stopped. Of a service that `run` itself provides, and that comes
   * and goes well time after time, whoever begins to read late may get the last time alone, as in the report.
   */
  readonly events: Stream.Stream<JobEvent>
  /** Waits until the last service is gone. Never fails because the job failed: `exit` says how it ended. */
  readonly result: Effect.Effect<{ readonly exit: Exit.Exit<A, E | Job.ServiceError>; readonly report: StopReport }>
  /** Asks for a stop and returns at once; `result` waits for it. A later, harsher stop overtakes a gentle one. */
  readonly stop: (options?: StopOptions) => Effect.Effect<void>
}

/**
 * A payload that does not fit the job's Schema, or an id that is taken. Nothing was started.
 *
 * @category errors
 * @since 0.1.0
 */
export class SubmitError extends Schema.TaggedError<SubmitError>()("SubmitError", {
  job: Schema.String,
  message: Schema.String
}) {}

/**
 * The service behind `Environment.submit`: provided by `LocalEnvironment.layer` and its kind.
 *
 * @category services
 * @since 0.1.0
 */
export class Environment extends Context.Service<Environment, {
  readonly submit: (
    job: Job.AnyContract,
    payload: unknown,
    options: SubmitOptions
  ) => Effect.Effect<JobRun<unknown, unknown>, SubmitError | PolicyError>
}>()("autostop/Environment") {
  /**
   * Submits a job; gives its run at once. Fails, with nothing started, if the payload or a setting is refused.
   *
   * *Details*: the job belongs to its caller. It is stopped when the caller's Scope closes, when the fiber that
   * submitted it is interrupted, and when the environment's layer is released; each of them waits for it.
   */
  static submit<Name extends string, P extends Schema.Top, S extends Schema.Top, E extends Schema.Top>(
    job: Job.Contract<Name, P, S, E>,
    payload: P["Type"],
    options: SubmitOptions = {}
  ): Effect.Effect<JobRun<S["Type"], E["Type"]>, SubmitError | PolicyError, Environment> {
    return Effect.flatMap(
      Environment,
      // safe: the run is that of this very job
      (environment) =>
        environment.submit(job, payload, options) as Effect.Effect<
          JobRun<S["Type"], E["Type"]>,
          SubmitError | PolicyError
        >
    )
  }

  /** Submits a job, waits until it has stopped, and ends as the job ended. An interrupt stops the job first. */
  static run<Name extends string, P extends Schema.Top, S extends Schema.Top, E extends Schema.Top>(
    job: Job.Contract<Name, P, S, E>,
    payload: P["Type"],
    options: SubmitOptions = {}
  ): Effect.Effect<S["Type"], E["Type"] | Job.ServiceError | SubmitError | PolicyError, Environment> {
    return Effect.flatMap(
      Environment.submit(job, payload, options),
      (run) => Effect.flatMap(run.result, ({ exit }) => exit)
    )
  }
}
