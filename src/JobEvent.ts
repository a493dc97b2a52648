/**
 * The events of a job.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { Outcome, Phase, ServiceOutcome, Trigger } from "./StopReport.ts"

/** The time of the event, as an ISO 8601 string. */
const at = { at: Schema.String }
const service = { ...at, service: Schema.String }
/** A limit from the event on, in milliseconds; absent if there is none. */
const limitMs = Schema.optionalKey(Schema.Finite)
/** A host of a service: one of its replicas, counted from 1. A host that is a process has a `pid`. */
const host = { ...service, replica: Schema.Int, pid: Schema.optionalKey(Schema.Int) }

/**
 * The harshness of a stop, from gentle to harsh: `drain` runs all phases, `cancel` skips delay and drain, `kill` gives
 * the release no time.
 *
 * @category models
 * @since 0.1.0
 */
export const StopMode = Schema.Literals(["drain", "cancel", "kill"])
/**
 * The type of a stop mode.
 *
 * @category models
 * @since 0.1.0
 */
export type StopMode = typeof StopMode.Type

/**
 * An event in the life of a job, as a tagged union. The first event is `JobSubmitted`, the last one `JobStopped`.
 *
 * **Details**
 *
 * `JobEvent.cases` has a Schema with a constructor for each kind of event, `JobEvent.match` handles all kinds,
 * `JobEvent.guards` tells them apart.
 *
 * @category models
 * @since 0.1.0
 */
export const JobEvent = Schema.Union([
  Schema.TaggedStruct("JobSubmitted", { ...at, jobId: Schema.String, job: Schema.String }),
  Schema.TaggedStruct("ServiceStarting", { ...service, managed: Schema.optionalKey(Schema.Boolean) }),
  // `host` is where it lives, unless that is the job's own process; `dependsOn` is absent if it needs no other service
  Schema.TaggedStruct("ServiceStarted", {
    ...service,
    startMs: Schema.Finite,
    host: Schema.optionalKey(Schema.String),
    dependsOn: Schema.optionalKey(Schema.Array(Schema.String))
  }),
  Schema.TaggedStruct("ServiceStartFailed", { ...service, error: Schema.String }),
  Schema.TaggedStruct("ServiceFailed", { ...service, error: Schema.String }),
  Schema.TaggedStruct("HostStarted", host),
  Schema.TaggedStruct("HostUnresponsive", host),
  Schema.TaggedStruct("HostResponsive", host),
  Schema.TaggedStruct("HostLost", { ...host, error: Schema.String }),
  Schema.TaggedStruct("HostRestarting", { ...host, attempt: Schema.Int, delayMs: Schema.Finite }),
  Schema.TaggedStruct("HostKilled", { ...host, how: Schema.String, killMs: Schema.Finite }),
  Schema.TaggedStruct("RunStarted", at),
  Schema.TaggedStruct("RunEnded", { ...at, outcome: Outcome, error: Schema.optionalKey(Schema.String) }),
  Schema.TaggedStruct("StopRequested", {
    ...at,
    trigger: Trigger,
    mode: StopMode,
    reason: Schema.optionalKey(Schema.String),
    // the time that the whole stop has left
    deadlineMs: limitMs
  }),
  Schema.TaggedStruct("PhaseStarted", { ...at, phase: Phase, limitMs }),
  Schema.TaggedStruct("PhaseEnded", { ...at, phase: Phase, durationMs: Schema.Finite, timedOut: Schema.Boolean }),
  Schema.TaggedStruct("ServiceReleasing", { ...service, limitMs }),
  // its release has passed its limit: nobody waits for it any longer, or its hosts are being killed
  Schema.TaggedStruct("ServiceOverdue", { ...service, limitMs: Schema.Finite }),
  Schema.TaggedStruct("ServiceStopped", {
    ...service,
    outcome: ServiceOutcome,
    releaseMs: Schema.Finite,
    error: Schema.optionalKey(Schema.String)
  }),
  // a job manager starts the job again: its next attempt follows, and this one has no `JobStopped`
  Schema.TaggedStruct("JobRestarting", {
    ...at,
    attempt: Schema.Int,
    delayMs: Schema.Finite,
    trigger: Trigger,
    outcome: Outcome,
    clean: Schema.Boolean,
    reason: Schema.optionalKey(Schema.String)
  }),
  Schema.TaggedStruct("JobStopped", { ...at, outcome: Outcome, clean: Schema.Boolean })
]).annotate({ identifier: "autostop/JobEvent" }).pipe(Schema.toTaggedUnion("_tag"))
/**
 * The type of a job event.
 *
 * @category models
 * @since 0.1.0
 */
export type JobEvent = typeof JobEvent.Type

/**
 * The status of a job; `stopped` is final.
 *
 * @category models
 * @since 0.1.0
 */
export const JobStatus = Schema.Literals(["starting", "running", "stopping", "stopped"])
/**
 * The type of a job status.
 *
 * @category models
 * @since 0.1.0
 */
export type JobStatus = typeof JobStatus.Type
