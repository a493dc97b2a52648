/** What a job manager and its clients tell each other, and what it keeps. */
import * as Schema from "effect/Schema"
import { JobEvent, StopMode } from "../JobEvent.ts"
import { WireAutostop } from "../jobProcess/protocol.ts"
import { Outcome, StageReport, StopReport, Trigger } from "../StopReport.ts"

/** Where a manager listens, and is looked for, unless it is told otherwise. */
export const defaultPort = 19_001

/** Safe as the name of a file and in a URL, whoever chose it. */
export const JobId = Schema.String.check(Schema.isPattern(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/))

/** `queued` until there is room for it; `stopped` is final, also for one whose process was lost. */
export const JobState = Schema.Literals(["queued", "starting", "running", "stopping", "stopped"])
export type JobState = typeof JobState.Type

export { WireAutostop }

const PositiveMs = Schema.Finite.check(Schema.isGreaterThan(0))

const Ms = Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0))
const times = Schema.optionalKey(Schema.Int.check(Schema.isGreaterThan(0)))

/** Whether a job that failed, or was lost, begins again, and after how long; durations in milliseconds. */
export const WireRestart = Schema.Union([
  /** After the same delay each time, at most so many times. */
  Schema.Struct({ policy: Schema.Literal("fixed"), delayMs: Ms, times }),
  /** After a delay that grows, by a factor of 2 unless told otherwise, up to the longest one. */
  Schema.Struct({
    policy: Schema.Literal("exponential"),
    delayMs: Ms,
    factor: Schema.optionalKey(Schema.Finite.check(Schema.isGreaterThanOrEqualTo(1))),
    maxDelayMs: Schema.optionalKey(Ms),
    times
  }),
  /** After the same delay, until it has failed more often than that within one interval. */
  Schema.Struct({
    policy: Schema.Literal("failure-rate"),
    failures: Schema.Int.check(Schema.isGreaterThan(0)),
    intervalMs: PositiveMs,
    delayMs: Ms
  })
])
export type WireRestart = typeof WireRestart.Type

/** The SHA-256 of what was uploaded, in hexadecimal. */
export const BundleHash = Schema.String.check(Schema.isPattern(/^[0-9a-f]{64}$/))

/** The largest upload that is taken. */
export const maxBundleBytes = 16 * 1024 * 1024

/** What is submitted. What the payload must be is up to the job's own Schema. */
export const Submission = Schema.Struct({
  /** Makes a submit that is sent twice the same job. A random UUID by default. */
  id: Schema.optionalKey(JobId),
  /** The name of a job that is registered at the manager, or that the bundle has. */
  job: Schema.String.check(Schema.isNonEmpty()),
  payload: Schema.optionalKey(Schema.Json),
  autostop: Schema.optionalKey(WireAutostop),
  /** The settings of this submit, as their user wrote them. */
  stopPolicy: Schema.optionalKey(Schema.Record(Schema.String, Schema.Json)),
  /** Higher ones leave the queue first; 0 by default. */
  priority: Schema.optionalKey(Schema.Int),
  /** The job is stopped when nobody has renewed its lease for that many milliseconds; without it nobody needs to. */
  leaseMs: Schema.optionalKey(PositiveMs),
  /** It does not, by default. */
  restart: Schema.optionalKey(WireRestart),
  /** The bytes that its processes may take together; where the manager has a limit too, the lower one holds. */
  memory: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThan(0))),
  /** How long it may run, from the start of its process to the stop; where the manager has a limit too, the lower one holds. */
  timeMs: Schema.optionalKey(PositiveMs),
  /** Where its code is: one that was uploaded, and not one that is registered. */
  bundle: Schema.optionalKey(BundleHash)
})
export type Submission = typeof Submission.Type

/** Where a job stands. Times are ISO 8601 strings. */
export class JobInfo extends Schema.Class<JobInfo>("autostop/JobInfo")({
  id: JobId,
  job: Schema.String,
  state: JobState,
  priority: Schema.Int,
  submittedAt: Schema.String,
  startedAt: Schema.optionalKey(Schema.String),
  stoppedAt: Schema.optionalKey(Schema.String),
  trigger: Schema.optionalKey(Trigger),
  reason: Schema.optionalKey(Schema.String),
  outcome: Schema.optionalKey(Outcome),
  clean: Schema.optionalKey(Schema.Boolean),
  /** Its process, while there is one. */
  pid: Schema.optionalKey(Schema.Int),
  /** How often it has begun again. */
  restarts: Schema.optionalKey(Schema.Int),
  /** When it begins again, while it waits for that. */
  restartsAt: Schema.optionalKey(Schema.String)
}) {}

/** An event and its place in the life of its job, from 1. */
export const NumberedEvent = Schema.Struct({ seq: Schema.Int, event: JobEvent })
export type NumberedEvent = typeof NumberedEvent.Type

/** A line that a job has printed, and its place in its log, from 1. */
export const LogLine = Schema.Struct({
  seq: Schema.Int,
  at: Schema.String,
  stream: Schema.Literals(["stdout", "stderr"]),
  text: Schema.String
})
export type LogLine = typeof LogLine.Type

/** How a job ended: its exit as its own Schemas encode it, and its report. */
export const JobResult = Schema.Struct({ exit: Schema.Json, report: StopReport })
export type JobResult = typeof JobResult.Type

export const StopCommand = Schema.Struct({
  mode: Schema.optionalKey(StopMode),
  reason: Schema.optionalKey(Schema.String)
})
export type StopCommand = typeof StopCommand.Type

export const Stages = Schema.Array(StageReport)

/** How many jobs there are in each state. */
export const Counts = Schema.Record(JobState, Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)))

/** How all stands: the manager itself, and its jobs, but for those that have stopped. */
const Overview = Schema.TaggedStruct("Overview", {
  version: Schema.String,
  /** The time at the manager, and since when it runs. */
  at: Schema.String,
  startedAt: Schema.String,
  ready: Schema.Boolean,
  counts: Counts,
  jobs: Schema.Array(JobInfo)
})
export type Overview = typeof Overview.Type

/** The counters of a job's pipelines, as they have become. */
const JobStages = Schema.TaggedStruct("Stages", { id: JobId, stages: Stages })
export type JobStages = typeof JobStages.Type

/** What those who watch all jobs are told: how all stands, first and whenever it is anew, and what has changed since. */
export const Change = Schema.Union([Overview, Schema.TaggedStruct("Job", { info: JobInfo }), JobStages])
export type Change = typeof Change.Type
