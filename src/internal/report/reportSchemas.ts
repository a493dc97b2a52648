/** The parts of a stop report. */
import * as Schema from "effect/Schema"

/**
 * Why the stop began: `completed` and `failed` by the run itself, `stopped` by a caller, `signal`, `idle`, `deadline`
 * by their limits, `lost` when its owner or host vanished.
 *
 * @category models
 * @since 0.1.0
 */
export const Trigger = Schema.Literals(["completed", "failed", "stopped", "signal", "idle", "deadline", "lost"])
/**
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
 * @category models
 * @since 0.1.0
 */
export type Phase = typeof Phase.Type

/**
 * How the run itself ended.
 *
 * @category models
 * @since 0.1.0
 */
export const Outcome = Schema.Literals(["succeeded", "failed", "cancelled"])
/**
 * @category models
 * @since 0.1.0
 */
export type Outcome = typeof Outcome.Type

/**
 * How a service ended: `released` in time; `release-failed` when its cleanup failed or died; `timed-out` when its
 * cleanup ended, but after its limit; `killed` and verified (out of process only); `abandoned` when its cleanup still
 * runs and cannot be killed; `start-failed` when its acquire failed, died, was interrupted or took too long.
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
 * @category models
 * @since 0.1.0
 */
export type ServiceOutcome = typeof ServiceOutcome.Type

const Millis = Schema.Finite
const Count = Schema.Int

/**
 * @category models
 * @since 0.1.0
 */
export const PhaseReport = Schema.Struct({ phase: Phase, durationMs: Millis, timedOut: Schema.Boolean })
/**
 * @category models
 * @since 0.1.0
 */
export type PhaseReport = typeof PhaseReport.Type

/**
 * `count` is what left the stage; `dropped` is what an operator had taken in and never handed on because the run was
 * interrupted or failed.
 *
 * @category models
 * @since 0.1.0
 */
export const StageReport = Schema.Struct({
  name: Schema.String,
  kind: Schema.Literals(["source", "stage", "mapParallel", "keyed", "join", "feedback"]),
  count: Count,
  dropped: Schema.optionalKey(Count)
})
/**
 * @category models
 * @since 0.1.0
 */
export type StageReport = typeof StageReport.Type

/**
 * `used` counts calls, where they can be counted. `running` says whether something of the service is still there. Where
 * it lives in a process of its own: its `pid`, how often it was replaced (`restarts`), and how long it took to kill it
 * (`killMs`). Where it is a Ray actor: its `actorId`, the `nodeId` of where it was, whether it had cleaned up
 * (`cleanupSuccess`), and whether it was seen to be DEAD with its processes gone (`killSuccess`). The services of a host are named after it: `math/Primes/Cache`, or `math/Primes[2]/Cache` for a replica.
 *
 * @category models
 * @since 0.1.0
 */
export const ServiceReport = Schema.Struct({
  name: Schema.String,
  host: Schema.String,
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
 * @category models
 * @since 0.1.0
 */
export type ServiceReport = typeof ServiceReport.Type

/**
 * Something that the job left behind: an active `handle` or `child-process` of the job's own process, a `run` or an
 * `acquire` that did not end when it was interrupted, a detached `fiber` that did not either, a `finalizer` of an
 * unmanaged layer that failed or did not end, the isolated `process` of the job that was killed or ended before its time, a
 * `ray-job` or `ray-actor` that could not be seen to be gone.
 *
 * @category models
 * @since 0.1.0
 */
export const Leftover = Schema.Struct({ kind: Schema.String, detail: Schema.String })
/**
 * @category models
 * @since 0.1.0
 */
export type Leftover = typeof Leftover.Type

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
  leftovers: Schema.Array(Leftover)
}

/** A report as plain data. */
export type ReportData = Schema.Struct<typeof reportFields>["Type"]
