/** The messages between a job process and its parent. Each is one line of JSON. */
import * as Schema from "effect/Schema"
import { decodeForeignJson } from "../base/foreignJson.ts"
import { JobEvent, StopMode } from "../JobEvent.ts"
import { signals } from "../process/signals.ts"
import { StageReport, StopReport, Trigger } from "../StopReport.ts"
import { CallCounts } from "../telemetry/callCounts.ts"
import { SpanRecord, TraceContext } from "../telemetry/spanRecord.ts"

/** The deadline of the job, once it is known. `null` stands for no limit, because JSON has no infinity. */
const Limits = Schema.TaggedStruct("Limits", { deadlineMs: Schema.NullOr(Schema.Number) })

/** The counters of its pipelines, as they are now. */
const Stages = Schema.TaggedStruct("Stages", { stages: Schema.Array(StageReport) })

/** The job has stopped. The exit, encoded by the job's own Schemas, is there if the parent passes it on. */
const Reported = Schema.TaggedStruct("Reported", { report: StopReport, exit: Schema.optionalKey(Schema.Json) })
export type Reported = typeof Reported.Type

/** The process begins to load the module or, once the job has stopped, has output that is still being read. */
const Alive = Schema.TaggedStruct("Alive", {})

/** The process has ended its job, with its output, has nothing left of it, and waits for the next job of its module. */
const Idle = Schema.TaggedStruct("Idle", {})

/** Spans of the job's own code that have ended. */
const Spans = Schema.TaggedStruct("Spans", { spans: Schema.Array(SpanRecord) })

/** The calls to hosts of its services since the last message. */
const Calls = Schema.TaggedStruct("Calls", { counts: Schema.Array(CallCounts) })

const amount = Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0))

/**
 * What the process uses: its processor time so far in milliseconds, its memory in bytes, and the longest delay of its event loop
 * since the last message in milliseconds.
 */
const Usage = Schema.TaggedStruct("Usage", { cpuMs: amount, memory: amount, loopDelayMs: amount })
export type Usage = typeof Usage.Type

/** A message from a job process to its parent. */
export const JobMessage = Schema.Union([JobEvent, Limits, Stages, Reported, Alive, Idle, Spans, Calls, Usage])
export type JobMessage = typeof JobMessage.Type

/** Decodes what a process has sent that runs code of others. */
export const decodeJobMessage = decodeForeignJson(JobMessage)

const PositiveMs = Schema.Finite.check(Schema.isGreaterThan(0))

/** The setting that says when a job stops by itself. Durations are milliseconds. */
export const AutostopSetting = Schema.Union([
  Schema.Boolean,
  Schema.Struct({ idle: PositiveMs }),
  Schema.Struct({ after: PositiveMs })
])
export type AutostopSetting = typeof AutostopSetting.Type

/**
 * The job to run, and its settings. The job's own Schema checks the payload, and the stop settings are checked when
 * they are read.
 */
export const JobSpec = Schema.Struct({
  /** The name of the job among the exports of its module. */
  job: Schema.String,
  payload: Schema.optionalKey(Schema.Json),
  autostop: Schema.optionalKey(AutostopSetting),
  /** The stop settings, as their user wrote them. */
  stopPolicy: Schema.optionalKey(Schema.Record(Schema.String, Schema.Json))
})
export type JobSpec = typeof JobSpec.Type

const Start = Schema.TaggedStruct("Start", {
  id: Schema.String,
  /** The module that exports the job, as a URL. */
  module: Schema.String,
  spec: JobSpec,
  /** The file that the process writes its result to, before it sends it. */
  resultFile: Schema.String,
  /** The text that ends the output of the job, if the process may wait for another job. */
  endOfOutput: Schema.optionalKey(Schema.String),
  /** The place of the job in a trace, if its parent wants the spans of it. */
  trace: Schema.optionalKey(TraceContext)
})
export type Start = typeof Start.Type

/** A request to stop. */
export const StopRequest = Schema.Struct({
  trigger: Trigger,
  mode: StopMode,
  reason: Schema.optionalKey(Schema.String)
})
export type StopRequest = typeof StopRequest.Type

const Stop = Schema.TaggedStruct("Stop", { request: StopRequest })

/** The parent got a signal. `count` is the number of signals so far. */
const Signal = Schema.TaggedStruct("Signal", { signal: Schema.Literals(signals), count: Schema.Int })

/** A message from the parent of a job process to that process. */
export const ParentMessage = Schema.Union([Start, Stop, Signal])
export type ParentMessage = typeof ParentMessage.Type

export const decodeParentMessage = Schema.decodeUnknownOption(Schema.fromJsonString(ParentMessage))
