/** The Schemas of what a job manager and its clients send each other, and of what the manager stores. */
import * as Schema from "effect/Schema"
import { isVariableName, variableForm } from "./jobVariables.ts"
import { isNestedWithin, maxLevels } from "../base/nesting.ts"
import { JobEvent, StopMode } from "../JobEvent.ts"
import { AutostopSetting } from "../jobProcess/protocol.ts"
import { Outcome, StageReport, StopReport, Trigger } from "../StopReport.ts"

/** The port that a manager listens on, and that clients connect to, by default. */
export const defaultPort = 19_001

/** The form of an id, for people. */
export const idForm = "1 to 64 letters, digits, \"-\" or \"_\", a letter or digit first"

/** The id of a job, which is safe in a file name and in a URL. */
export const JobId = Schema.String.check(
  Schema.isPattern(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, { expected: `an id: ${idForm}` })
)

/**
 * A place in the list of jobs: the time of submission and the id of a job. It is a place and not a row: it holds also
 * when that job is gone.
 */
export const Place = Schema.String.check(
  Schema.isPattern(/^[0-9TZ:.+-]{1,40}_[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, {
    expected: "the place of a job: the time it was submitted at, `_` and its id"
  })
)
export interface Place {
  readonly submittedAt: string
  readonly id: string
}

export const writePlace = ({ id, submittedAt }: Place): string => `${submittedAt}_${id}`
export const readPlace = (text: string): Place => {
  const end = text.indexOf("_")
  return { submittedAt: text.slice(0, end), id: text.slice(end + 1) }
}

/** The state of a job: `queued` until a slot is free; `stopped` is final, also for a job whose process was lost. */
export const JobState = Schema.Literals(["queued", "starting", "running", "stopping", "stopped"])
export type JobState = typeof JobState.Type

export { AutostopSetting }

const PositiveMs = Schema.Finite.check(Schema.isGreaterThan(0))

const Ms = Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0))
const times = Schema.optionalKey(Schema.Int.check(Schema.isGreaterThan(0)))

/** The `restart` of a submission, which says when a failed or lost job starts again. Durations are milliseconds. */
export const RestartSetting = Schema.Union([
  /** Restarts after the same delay each time, at most `times` times. */
  Schema.Struct({ policy: Schema.Literal("fixed"), delayMs: Ms, times }),
  /** Restarts after a delay that grows by `factor` (2 by default) up to `maxDelayMs`. */
  Schema.Struct({
    policy: Schema.Literal("exponential"),
    delayMs: Ms,
    factor: Schema.optionalKey(Schema.Finite.check(Schema.isGreaterThanOrEqualTo(1))),
    maxDelayMs: Schema.optionalKey(Ms),
    times
  }),
  /** Restarts after the same delay, until the job has failed more than `failures` times within one interval. */
  Schema.Struct({
    policy: Schema.Literal("failure-rate"),
    failures: Schema.Int.check(Schema.isGreaterThan(0)),
    intervalMs: PositiveMs,
    delayMs: Ms
  })
])
export type RestartSetting = typeof RestartSetting.Type

/** The SHA-256 of a bundle, in hexadecimal. */
export const BundleHash = Schema.String.check(
  Schema.isPattern(/^[0-9a-f]{64}$/, { expected: "a SHA-256: 64 hexadecimal digits in lower case" })
)

/** The form of the name of a job, for people. */
export const nameForm = "1 to 256 characters, none of them a control character"

/** The name of a job that can be submitted. */
export const JobName = Schema.String.check(
  Schema.isPattern(/^[^\p{Cc}]{1,256}$/u, { expected: `the name of a job: ${nameForm}` })
)

/** JSON that can be written and read wherever it goes. What is stored can be run. */
const BoundedJson = Schema.Json.check(
  Schema.makeFilter((json: Schema.Json) => isNestedWithin(json), { expected: `JSON of at most ${maxLevels} levels` })
)

/** The length of the longest reason of a stop, in characters. */
export const maxReason = 4_096

/** A job to run. The payload has to match the job's own Schema. */
export const Submission = Schema.Struct({
  /** A submission that is sent twice with one id is one job. A random UUID by default. */
  id: Schema.optionalKey(JobId),
  /** The name of a job that is registered at the manager, or that the bundle exports. */
  job: JobName,
  payload: Schema.optionalKey(BoundedJson),
  autostop: Schema.optionalKey(AutostopSetting),
  /** The stop settings of this submission, as their user wrote them. */
  stopPolicy: Schema.optionalKey(Schema.Record(Schema.String, BoundedJson)),
  /** Jobs of a higher priority leave the queue first; 0 by default. */
  priority: Schema.optionalKey(Schema.Int),
  /** The lease, in milliseconds: the job is stopped if no client renews it for that long. No lease by default. */
  leaseMs: Schema.optionalKey(PositiveMs),
  /** The restart policy; no restarts by default. */
  restart: Schema.optionalKey(RestartSetting),
  /** The memory that its processes may use together, in bytes. The lower of this and the manager's limit holds. */
  memory: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThan(0))),
  /**
   * The time from the start of its process after which it is stopped, in milliseconds. The lower of this and the
   * manager's limit holds.
   */
  timeMs: Schema.optionalKey(PositiveMs),
  /** The names of variables of the manager that the job gets. */
  env: Schema.optionalKey(
    Schema.Array(Schema.String.check(Schema.makeFilter(isVariableName, { expected: `a name: ${variableForm}` })))
  ),
  /** The uploaded bundle that exports the job; without it the job is a registered one. */
  bundle: Schema.optionalKey(BundleHash)
})
export type Submission = typeof Submission.Type

/** The state of a job and what led to it. Times are ISO 8601 strings. */
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
  /** The id of its process, while there is one. */
  pid: Schema.optionalKey(Schema.Int),
  /** The start of that process, in ticks since the machine began: the id alone may be given to another process. */
  pidStart: Schema.optionalKey(Schema.Int),
  /** The number of its restarts. */
  restarts: Schema.optionalKey(Schema.Int),
  /** The earliest time of its next attempt, while it is queued after a failure. */
  restartsAt: Schema.optionalKey(Schema.String),
  /** The span of its submit, as W3C writes it, if the submit had one: its trace is found by that. */
  traceparent: Schema.optionalKey(Schema.String)
}) {}

/** An event and its number within its job, from 1. */
export const NumberedEvent = Schema.Struct({ seq: Schema.Int, event: JobEvent })
export type NumberedEvent = typeof NumberedEvent.Type

/** A line that a job has printed, and its number in the log, from 1. */
export const LogLine = Schema.Struct({
  seq: Schema.Int,
  at: Schema.String,
  stream: Schema.Literals(["stdout", "stderr"]),
  text: Schema.String,
  /** `continued`: the line goes on in the next one of its stream. `gap`: lines are missing here, and the text says why. */
  mark: Schema.optionalKey(Schema.Literals(["continued", "gap"]))
})
export type LogLine = typeof LogLine.Type

/** The end of a job: its exit, encoded by its own Schemas, and its report. */
export const JobResult = Schema.Struct({ exit: Schema.Json, report: StopReport })
export type JobResult = typeof JobResult.Type

export const StopCommand = Schema.Struct({
  mode: Schema.optionalKey(StopMode),
  reason: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(maxReason)))
})
export type StopCommand = typeof StopCommand.Type

/** The id of the job that is submitted by a retry; a random UUID by default. */
export const Retry = Schema.Struct({ id: Schema.optionalKey(JobId) })
export type Retry = typeof Retry.Type

export const Stages = Schema.Array(StageReport)

/** A registered job, and the JSON Schema (draft 2020-12) of its payload, if that can be written as one. */
export const JobType = Schema.Struct({ name: Schema.String, payload: Schema.optionalKey(Schema.Json) })
export type JobType = typeof JobType.Type

/** The number of jobs in each state. */
export const Counts = Schema.Record(JobState, Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)))

/** The state of the manager and of all its jobs that have not stopped. */
const Overview = Schema.TaggedStruct("Overview", {
  version: Schema.String,
  /** The manager's time, and when it was started. */
  at: Schema.String,
  startedAt: Schema.String,
  ready: Schema.Boolean,
  counts: Counts,
  jobs: Schema.Array(JobInfo),
  /** True if there are too many jobs for an overview, so that some are left out. */
  shortened: Schema.optionalKey(Schema.Boolean)
})
export type Overview = typeof Overview.Type

/** The new counters of a job's pipelines. */
const JobStages = Schema.TaggedStruct("Stages", { id: JobId, stages: Stages })
export type JobStages = typeof JobStages.Type

/** The limits of a manager, what it keeps jobs in, and who watches it. */
export const ManagerStatus = Schema.Struct({
  /** The kind of the database. */
  store: Schema.Literals(["SQLite", "PostgreSQL"]),
  /** The largest number of jobs that run at once. */
  concurrency: Schema.Int,
  /** The largest number of jobs that wait. */
  queued: Schema.Int,
  /** The largest number of processes that wait for a job. */
  spares: Schema.Int,
  /** The number of pages and programs that read the changes of its jobs. */
  watchers: Schema.Int,
  /** The address at which people look at a trace, with `{traceId}` in it. */
  traceUrl: Schema.optionalKey(Schema.String)
})
export type ManagerStatus = typeof ManagerStatus.Type

/** A moment of a job: its use of the machine since the sample before, and the counts of its pipelines. */
const UsageSample = Schema.Struct({
  at: Schema.String,
  /** The share of one processor since the sample before: 1 is all of it, and threads may use more. */
  cpu: Schema.Finite,
  /** The resident memory of its process in bytes. */
  memory: Schema.Finite,
  /** The longest delay of its event loop since the sample before, in milliseconds. */
  loopDelayMs: Schema.Finite,
  /** The number of elements that each stage had handed on. */
  counts: Schema.Array(Schema.Finite),
  /** The time in milliseconds that 95 % of the recent chunks of each stage did not exceed, where it is known. */
  p95Ms: Schema.Array(Schema.NullOr(Schema.Finite))
})
export type UsageSample = typeof UsageSample.Type

/** The history of a job: at most that of its last hour, and of its latest attempt. */
export const JobHistory = Schema.Struct({
  /** The stages that the samples have numbers of, in this order. A sample may be of a time when there were fewer. */
  stages: Schema.Array(Schema.Struct({ kind: Schema.String, name: Schema.String })),
  samples: Schema.Array(UsageSample)
})
export type JobHistory = typeof JobHistory.Type

/** News of the job that a page has open. `Gone`: there is no such job, or no longer. */
const OpenJob = Schema.Union([
  Schema.TaggedStruct("Event", { id: JobId, seq: Schema.Int, event: JobEvent }),
  Schema.TaggedStruct("Line", { id: JobId, line: LogLine }),
  Schema.TaggedStruct("Gone", { id: JobId })
])

/** An element of the change feed: an overview, first and whenever changes were left out, or one change. */
export const Change = Schema.Union([Overview, Schema.TaggedStruct("Job", { info: JobInfo }), JobStages])
export type Change = typeof Change.Type

/** An element of the feed of a page. `Counts` comes when they have changed. */
export const Update = Schema.Union([
  Change,
  OpenJob,
  Schema.TaggedStruct("Counts", { at: Schema.String, ready: Schema.Boolean, counts: Counts })
])
export type Update = typeof Update.Type
