/** What a job manager answers over HTTP: one description for its server, its clients and its documentation. */
import * as ByteSize from "effect/ByteSize"
import * as HttpApi from "effect/http-api/HttpApi"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { JobEvent } from "../JobEvent.ts"
import { StopReport } from "../StopReport.ts"
import { Authorization } from "./http/authorization.ts"
import { StoreError } from "./JobStore.ts"
import { Conflict, NotFound, Refused, Unavailable } from "./Manager.ts"
import {
  BundleHash,
  Change,
  Counts,
  JobInfo,
  JobResult,
  JobState,
  LogLine,
  maxBundleBytes,
  Stages,
  StopCommand,
  Submission
} from "./models.ts"

/** Answers a request that its Schemas refuse with what is wrong with it, not only with a status. */
export class Readable extends HttpApiMiddleware.Service<Readable>()("autostop/manager/Readable", {
  error: Refused
}) {}

/** How often each of a stream's readers is told that the connection is alive. */
export const heartbeatMs = 15_000

/** At the beginning of every stream, and now and then. Where none comes for long the connection is lost, if not closed. */
const heartbeat = Schema.Struct({ event: Schema.Literal("heartbeat"), data: Schema.String })
const streamError = Schema.Union([NotFound, StoreError])

/** A stream of server-sent events: a numbered one for each element, whose number `Last-Event-ID` takes. */
const feed = <S extends Schema.Top>(element: S) =>
  HttpApiSchema.StreamSse({
    events: Schema.Union([
      Schema.Struct({
        id: Schema.FiniteFromString,
        event: Schema.Literal("message"),
        data: Schema.fromJsonString(element)
      }),
      heartbeat
    ]),
    error: streamError
  })

/** One that begins anew for each reader. */
const changes = HttpApiSchema.StreamSse({
  events: Schema.Union([
    Schema.Struct({ event: Schema.Literal("message"), data: Schema.fromJsonString(Change) }),
    heartbeat
  ]),
  error: streamError
})

const count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
/** Where a stream begins: after this number. The header is what a browser sends when it connects again; it wins. */
const after = { query: { after: Schema.optionalKey(count) }, headers: { "last-event-id": Schema.optionalKey(count) } }

/** An id, or the beginning of one that no other has. */
const params = { id: Schema.String.check(Schema.isPattern(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/)) }
const ofJob = [NotFound, Conflict, StoreError] as const

const Jobs = HttpApiGroup.make("jobs")
  .add(
    HttpApiEndpoint.post("submit", "/jobs", {
      payload: Submission,
      success: JobInfo.pipe(HttpApiSchema.status(201)),
      error: [Refused, NotFound, Conflict, Unavailable, StoreError]
    }).annotate(OpenApi.Summary, "Submit a job. Sent twice with the same id, it is the same job."),
    HttpApiEndpoint.get("list", "/jobs", {
      query: {
        state: Schema.optionalKey(JobState),
        job: Schema.optionalKey(Schema.String),
        before: Schema.optionalKey(Schema.String),
        limit: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1000 })))
      },
      success: Schema.Array(JobInfo),
      error: StoreError
    }).annotate(OpenApi.Summary, "The jobs, the latest first; `before` is the id of the last one of the page before."),
    HttpApiEndpoint.get("get", "/jobs/:id", { params, success: JobInfo, error: ofJob })
      .annotate(OpenApi.Summary, "Where a job stands."),
    HttpApiEndpoint.get("events", "/jobs/:id/events", {
      params,
      headers: after.headers,
      query: { ...after.query, follow: Schema.optionalKey(Schema.Boolean) },
      success: feed(JobEvent),
      error: [...ofJob, Unavailable]
    }).annotate(
      OpenApi.Summary,
      "What happened to a job, and what happens until it has stopped; without `follow`, what has happened so far."
    ),
    HttpApiEndpoint.get("logs", "/jobs/:id/logs", {
      params,
      headers: after.headers,
      query: { ...after.query, follow: Schema.optionalKey(Schema.Boolean) },
      success: feed(LogLine),
      error: [...ofJob, Unavailable]
    }).annotate(OpenApi.Summary, "What a job printed, and, with `follow`, what it prints until it has stopped."),
    HttpApiEndpoint.get("stages", "/jobs/:id/stages", { params, success: Stages, error: ofJob })
      .annotate(OpenApi.Summary, "The counters of a job's pipelines."),
    HttpApiEndpoint.post("stop", "/jobs/:id/stop", { params, payload: StopCommand, success: JobInfo, error: ofJob })
      .annotate(
        OpenApi.Summary,
        "Ask a job to stop. Answers at once; where it has not begun, once its end is on disk."
      ),
    HttpApiEndpoint.get("result", "/jobs/:id/result", { params, success: JobResult, error: ofJob })
      .annotate(OpenApi.Summary, "How a job ended. A conflict while it runs."),
    HttpApiEndpoint.get("report", "/jobs/:id/report", { params, success: StopReport, error: ofJob })
      .annotate(OpenApi.Summary, "The report of a job's stop. A conflict while it runs."),
    HttpApiEndpoint.post("renew", "/jobs/:id/lease", { params, success: JobInfo, error: ofJob })
      .annotate(OpenApi.Summary, "Keep a job that has a lease alive."),
    HttpApiEndpoint.delete("remove", "/jobs/:id", {
      params,
      query: { force: Schema.optionalKey(Schema.Literals(["", "true", "false"])) },
      error: ofJob
    }).annotate(OpenApi.Summary, "Remove a job and all that is kept of it; with `force` also one that runs."),
    HttpApiEndpoint.post("clean", "/jobs/clean", {
      payload: Schema.Struct({ before: Schema.String.check(Schema.isPattern(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/)) }),
      success: Schema.Struct({ removed: count }),
      error: StoreError
    }).annotate(OpenApi.Summary, "Remove the jobs that stopped before a time (ISO 8601, UTC)."),
    HttpApiEndpoint.get("changes", "/changes", {
      success: changes,
      error: Unavailable
    }).annotate(
      OpenApi.Summary,
      "How all jobs stand that have not stopped, and then each change. Read slowly, it leaves out what is outdated."
    )
  )
  .middleware(Readable)
  .middleware(Authorization)

const Bundles = HttpApiGroup.make("bundles").add(
  HttpApiEndpoint.put("upload", "/bundles/:hash", {
    params: { hash: BundleHash },
    payload: HttpApiSchema.StreamUint8Array({
      contentType: "application/json",
      maxBytes: ByteSize.bytes(maxBundleBytes)
    }),
    error: [Refused, Unavailable, StoreError]
  }).annotate(
    OpenApi.Summary,
    "Upload code, as JSON, to be submitted by its SHA-256. Sent twice, it is the same; it stays while a job has it."
  )
).middleware(Readable)
  .middleware(Authorization)

const System = HttpApiGroup.make("system")
  .add(
    HttpApiEndpoint.get("info", "/info", {
      success: Schema.Struct({ version: Schema.String, jobs: Schema.Array(Schema.String), counts: Counts }),
      error: StoreError
    }).annotate(OpenApi.Summary, "The version of the manager, the jobs it can run, and how many there are by state."),
    HttpApiEndpoint.get("metrics", "/metrics", {
      success: Schema.String.pipe(HttpApiSchema.asText({ contentType: "text/plain; version=0.0.4; charset=utf-8" })),
      error: StoreError
    }).annotate(OpenApi.Summary, "Metrics in the text format of Prometheus.")
  )
  .middleware(Readable)
  .middleware(Authorization)

/** For whoever keeps the manager running: it has no token. */
const Health = HttpApiGroup.make("health").add(
  HttpApiEndpoint.get("live", "/health/live").annotate(OpenApi.Summary, "Whether the manager answers."),
  HttpApiEndpoint.get("ready", "/health/ready", { error: Unavailable })
    .annotate(OpenApi.Summary, "Whether the manager takes jobs.")
)

export class Api extends HttpApi.make("autostop")
  .add(Jobs)
  .add(Bundles)
  .add(System)
  .add(Health)
  .annotateMerge(OpenApi.annotations({
    title: "autostop job manager",
    description: "Runs jobs whose services are stopped in order, within one time budget, with a report."
  }))
{}
