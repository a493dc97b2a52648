/** The parts of a stop report. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/**
 * The reason of a stop: the run itself `completed` or `failed`; a caller `stopped` the job; a `signal` came; the job was
 * `idle`; its `deadline` (`{ after }`, a time limit) passed; its parent process or its manager was `lost`.
 *
 * @category models
 * @since 0.1.0
 */
export const Trigger = Schema.Literals(["completed", "failed", "stopped", "signal", "idle", "deadline", "lost"])
/**
 * The type of a trigger.
 *
 * @category models
 * @since 0.1.0
 */
export type Trigger = typeof Trigger.Type

/**
 * The phases of a stop, in their order.
 *
 * @category models
 * @since 0.1.0
 */
export const Phase = Schema.Literals(["delay", "drain", "cancel", "release", "kill"])
/**
 * The type of a phase.
 *
 * @category models
 * @since 0.1.0
 */
export type Phase = typeof Phase.Type

/**
 * The outcome of the run itself.
 *
 * @category models
 * @since 0.1.0
 */
export const Outcome = Schema.Literals(["succeeded", "failed", "cancelled"])
/**
 * The type of an outcome.
 *
 * @category models
 * @since 0.1.0
 */
export type Outcome = typeof Outcome.Type

/**
 * The outcome of a service.
 *
 * - `released`: its cleanup ended within its limit
 * - `release-failed`: its cleanup failed or died
 * - `timed-out`: its cleanup ended, but after its limit
 * - `killed`: its hosts missed the limit, were killed, and are gone (only services in hosts)
 * - `abandoned`: its cleanup still runs and cannot be killed
 * - `start-failed`: its acquire failed, died, was interrupted or took too long
 *
 * @category models
 * @since 0.1.0
 */
export const ServiceOutcome = Schema.Literals([
  "released",
  "release-failed",
  "timed-out",
  "killed",
  "abandoned",
  "start-failed"
])
/**
 * The type of a service outcome.
 *
 * @category models
 * @since 0.1.0
 */
export type ServiceOutcome = typeof ServiceOutcome.Type

const Millis = Schema.Finite
const Count = Schema.Int

/**
 * One phase of a stop: how long it took, and whether it missed its limit.
 *
 * @category models
 * @since 0.1.0
 */
export const PhaseReport = Schema.Struct({ phase: Phase, durationMs: Millis, timedOut: Schema.Boolean })
/**
 * The type of a phase report.
 *
 * @category models
 * @since 0.1.0
 */
export type PhaseReport = typeof PhaseReport.Type

/**
 * The milliseconds that a stage was `busy`; was `idle`, because it waited for elements; or was `backpressured`, because it had
 * elements that nobody took.
 *
 * @category models
 * @since 0.2.0
 */
export const StageTime = Schema.Struct({ busy: Millis, idle: Millis, backpressured: Millis })
/**
 * The type of the times of a stage.
 *
 * @category models
 * @since 0.2.0
 */
export type StageTime = typeof StageTime.Type

/**
 * The counter of one stage of a pipeline, or of the units of work of one name.
 *
 * **Details**
 *
 * `count` elements left it; `dropped` elements were taken in by an operator, or handed over by a stream to its source, and
 * never handed on, because the run was interrupted or failed. `upstream` names the stages that it took elements from: each by its
 * name, or by kind and name (`source rows`) where stages of several kinds have that name. `error` says why a source could not be told to end. Of units
 * (`kind` is `unit`), `count` ended by themselves, and `dropped` were cut off.
 *
 * The others are there if metrics are wanted, and at a manager. `held` elements were taken in and not handed on yet, and
 * `inFlight` of them are worked on. `timeMs` says how it spent its time. `durations` counts how long its chunks took, or its
 * elements if it works in parallel: those below 2, 4, 8, … µs, each without those before. 95 % of those of the last seconds took
 * no longer than `p95Ms`.
 *
 * @category models
 * @since 0.1.0
 */
export const StageReport = Schema.Struct({
  name: Schema.String,
  kind: Schema.Literals(["source", "stage", "mapParallel", "keyed", "join", "feedback", "unit"]),
  count: Count,
  dropped: Schema.optionalKey(Count),
  error: Schema.optionalKey(Schema.String),
  upstream: Schema.optionalKey(Schema.Array(Schema.String)),
  held: Schema.optionalKey(Count),
  inFlight: Schema.optionalKey(Count),
  timeMs: Schema.optionalKey(StageTime),
  p95Ms: Schema.optionalKey(Millis),
  durations: Schema.optionalKey(Schema.Array(Count))
})
/**
 * The type of a stage report.
 *
 * @category models
 * @since 0.1.0
 */
export type StageReport = typeof StageReport.Type

/**
 * The line of one service.
 *
 * **Details**
 *
 * `used` counts calls, if they can be counted. `running` is true if something of the service is still there. A service in a
 * process of its own has its `pid`, how often it was replaced (`restarts`), and how long its kill took (`killMs`). A Ray
 * actor has its `actorId`, the `nodeId` of its node, `cleanupSuccess` (its services were released), and `killSuccess` (Ray
 * reported it DEAD, and its processes are gone). The services within a host are named after it: `math/Primes/Cache`, or
 * `math/Primes[2]/Cache` in its second replica.
 *
 * @category models
 * @since 0.1.0
 */
export const ServiceReport = Schema.Struct({
  name: Schema.String,
  host: Schema.String,
  managed: Schema.Boolean.pipe(Schema.withDecodingDefaultKey(Effect.succeed(true))),
  initialized: Schema.Boolean,
  used: Schema.optionalKey(Count),
  cleanupCalled: Schema.Boolean,
  cleanupCompleted: Schema.Boolean,
  running: Schema.Boolean,
  outcome: ServiceOutcome,
  startMs: Millis,
  releaseMs: Millis,
  dependsOn: Schema.Array(Schema.String),
  error: Schema.optionalKey(Schema.String),
  pid: Schema.optionalKey(Count),
  restarts: Schema.optionalKey(Count),
  killMs: Schema.optionalKey(Millis),
  actorId: Schema.optionalKey(Schema.String),
  nodeId: Schema.optionalKey(Schema.String),
  cleanupSuccess: Schema.optionalKey(Schema.Boolean),
  killSuccess: Schema.optionalKey(Schema.Boolean)
})
/**
 * The type of a service report.
 *
 * @category models
 * @since 0.1.0
 */
export type ServiceReport = typeof ServiceReport.Type

/**
 * Something that the job left behind.
 *
 * **Details**
 *
 * The `kind` is `handle` (of the job's own process), `child-process` (that it has started), `run` or `acquire` (it did
 * not end when it was interrupted), `fiber` (a detached one that did not end either), `finalizer` (of no service: it
 * failed or did not end), `process` (the job's own process was killed or ended too early), `ray-job`
 * or `ray-actor` (not seen to be gone).
 *
 * @category models
 * @since 0.1.0
 */
export const Leftover = Schema.Struct({ kind: Schema.String, detail: Schema.String })
/**
 * The type of a leftover.
 *
 * @category models
 * @since 0.1.0
 */
export type Leftover = typeof Leftover.Type

/**
 * Telemetry of a program that no collector has taken.
 *
 * **Details**
 *
 * `count` is the number of spans, metrics or log records that were sent in vain: there may be more that could not be sent at all.
 *
 * @category models
 * @since 0.2.0
 */
export const LostTelemetry = Schema.Struct({
  signal: Schema.Literals(["traces", "metrics", "logs"]),
  /** The origin of the collector's URL. */
  endpoint: Schema.String,
  count: Schema.optionalKey(Count),
  why: Schema.String
})
/**
 * The type of lost telemetry.
 *
 * @category models
 * @since 0.2.0
 */
export type LostTelemetry = typeof LostTelemetry.Type

/** The fields of a report, for its class and for what prints one. */
export const reportFields = {
  jobId: Schema.String,
  job: Schema.String,
  environment: Schema.String,
  trigger: Trigger,
  reason: Schema.optionalKey(Schema.String),
  outcome: Outcome,
  clean: Schema.Boolean,
  startedAt: Schema.String,
  stoppedAt: Schema.String,
  phases: Schema.Array(PhaseReport),
  stages: Schema.Array(StageReport),
  services: Schema.Array(ServiceReport),
  leftovers: Schema.Array(Leftover),
  lostTelemetry: Schema.optionalKey(Schema.Array(LostTelemetry))
}

/** A report as plain data. */
export type ReportData = Schema.Struct<typeof reportFields>["Type"]
