/** The HTTP API of a job manager: one description for its server, its clients and its documentation. */
import * as HttpApi from "effect/http-api/HttpApi"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { Outcome, StopReport, Trigger } from "../StopReport.ts"
import { Authorization, IsRead } from "./Authorization.ts"
import { changes, events, logs, updates } from "./feedSchemas.ts"
import { Busy, Conflict, Failed, NotFound, Refused, StoreError, TooLarge, Unauthorized, Unavailable } from "./errors.ts"
import {
  BundleHash,
  Counts,
  JobHistory,
  JobId,
  JobInfo,
  JobName,
  JobResult,
  JobState,
  JobType,
  ManagerStatus,
  Place,
  Retry,
  Stages,
  StopCommand,
  Submission
} from "./models.ts"
import { Since } from "./since.ts"

/**
 * Answers a request that the Schemas refuse with a `Refused` that says what is wrong with it. The server answers any request
 * with the other two.
 */
export class SchemaRefusals extends HttpApiMiddleware.Service<SchemaRefusals>()("autostop/manager/SchemaRefusals", {
  error: [Refused, TooLarge, Failed]
}) {}

/** A time in ISO 8601, UTC, as `Date` writes it: times are compared as texts. */
const Time = Schema.String.check(
  Schema.makeFilter((text) => isTime(text), { expected: "a time in ISO 8601, such as \"2026-01-31T00:00:00.000Z\"" })
)
const isTime = (text: string): boolean => {
  const ms = Date.parse(text)
  return Number.isFinite(ms) && new Date(ms).toISOString() === text
}

const count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
/** The number that a stream starts after. Browsers send the header when they reconnect; it wins over the query. */
const after = { query: { after: Schema.optionalKey(count) }, headers: { "last-event-id": Schema.optionalKey(count) } }

/** The conditions that a job has to meet. */
const conditions = {
  state: Schema.optionalKey(JobState),
  job: Schema.optionalKey(Schema.String),
  outcome: Schema.optionalKey(Outcome),
  clean: Schema.optionalKey(Schema.Boolean),
  trigger: Schema.optionalKey(Trigger),
  since: Schema.optionalKey(Since),
  text: Schema.optionalKey(Schema.String),
  prefix: Schema.optionalKey(JobId)
}

/** The whole id of a job: a program never addresses another job than the one it means. */
const params = { id: JobId }
const jobErrors = [NotFound, Conflict, StoreError] as const

const Jobs = HttpApiGroup.make("jobs")
  .add(
    HttpApiEndpoint.post("submit", "/jobs", {
      payload: Submission,
      success: JobInfo.pipe(HttpApiSchema.status(201)),
      error: [Refused, NotFound, Conflict, Busy, Unavailable, StoreError]
    }).annotate(OpenApi.Summary, "Submit a job. A submission that is sent twice with one id is one job."),
    HttpApiEndpoint.get("list", "/jobs", {
      query: {
        ...conditions,
        before: Schema.optionalKey(Place),
        limit: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1000 })))
      },
      success: Schema.Array(JobInfo),
      error: StoreError
    }).annotate(
      OpenApi.Summary,
      "List jobs, the latest first: those that meet all conditions. `job` is their name, `since` when they were submitted at the " +
        "earliest (a time, or how long ago), `text` is in their ids or names, and `prefix` is how their ids begin; `before` is the " +
        "place of the last job of the previous page: the time it was submitted at, `_` and its id."
    ),
    HttpApiEndpoint.get("counts", "/counts", { query: conditions, success: Counts, error: StoreError }).annotate(
      OpenApi.Summary,
      "Count jobs by their states: those that meet all conditions of `GET /jobs`."
    ),
    HttpApiEndpoint.get("get", "/jobs/:id", { params, success: JobInfo, error: jobErrors })
      .annotate(OpenApi.Summary, "Get the state of a job."),
    HttpApiEndpoint.get("events", "/jobs/:id/events", {
      params,
      headers: after.headers,
      query: { ...after.query, follow: Schema.optionalKey(Schema.Boolean) },
      success: [events, HttpApiSchema.NoContent],
      error: [...jobErrors, Unavailable]
    }).annotate(
      OpenApi.Summary,
      "Read the events of a job so far; with `follow`, until the job has stopped. Answers 204 if there is none after that " +
        "number and never will be."
    ),
    HttpApiEndpoint.get("logs", "/jobs/:id/logs", {
      params,
      headers: after.headers,
      query: {
        ...after.query,
        follow: Schema.optionalKey(Schema.Boolean),
        since: Schema.optionalKey(Since),
        tail: Schema.optionalKey(count),
        grep: Schema.optionalKey(Schema.String)
      },
      success: [logs, HttpApiSchema.NoContent],
      error: [...jobErrors, Unavailable]
    }).annotate(
      OpenApi.Summary,
      "Read the output of a job so far; with `follow`, until the job has stopped. Answers as `events` does. Of the lines since a " +
        "time (or how long ago) that have the text `grep` in them, it has the last `tail` ones and all later ones. A reader that " +
        "comes back with `Last-Event-ID` gets all lines after that: `tail` is left out."
    ),
    HttpApiEndpoint.get("stages", "/jobs/:id/stages", { params, success: Stages, error: jobErrors })
      .annotate(OpenApi.Summary, "Get the counters of a job's pipelines."),
    HttpApiEndpoint.get("history", "/jobs/:id/history", {
      params,
      query: { after: Schema.optionalKey(Schema.String) },
      success: JobHistory,
      error: jobErrors
    }).annotate(
      OpenApi.Summary,
      "Get what a job that runs has used and done in its last hour, a sample each 5 s: processor time, memory, the delay of its " +
        "event loop, and the counters of its pipelines. With `after`, a time, it has the samples after that."
    ),
    HttpApiEndpoint.post("stop", "/jobs/:id/stop", {
      params,
      // a request without a body asks for a drain
      payload: [StopCommand, Schema.Undefined],
      success: JobInfo,
      error: jobErrors
    })
      .annotate(
        OpenApi.Summary,
        "Request a stop. Answers at once, or, if the job has no process, once its end is on disk."
      ),
    HttpApiEndpoint.post("retry", "/jobs/:id/retry", {
      params,
      payload: [Retry, Schema.Undefined],
      success: JobInfo.pipe(HttpApiSchema.status(201)),
      error: [Refused, NotFound, Conflict, Busy, Unavailable, StoreError]
    }).annotate(
      OpenApi.Summary,
      "Submit a job that has stopped again, with its payload and its settings, as a new job. `id` is the id of that; a request " +
        "that is sent twice with one id is one job. It has no lease."
    ),
    HttpApiEndpoint.get("result", "/jobs/:id/result", { params, success: JobResult, error: jobErrors })
      .annotate(OpenApi.Summary, "Get how a job ended. Answers with a conflict until it has stopped."),
    HttpApiEndpoint.get("report", "/jobs/:id/report", { params, success: StopReport, error: jobErrors })
      .annotate(OpenApi.Summary, "Get the report of a job. Answers with a conflict until it has stopped."),
    HttpApiEndpoint.post("renew", "/jobs/:id/lease", { params, success: JobInfo, error: jobErrors })
      .annotate(OpenApi.Summary, "Renew the lease of a job."),
    HttpApiEndpoint.delete("remove", "/jobs/:id", {
      params,
      query: { force: Schema.optionalKey(Schema.Literals(["", "true", "false"])) },
      error: jobErrors
    }).annotate(
      OpenApi.Summary,
      "Remove a job with its events, result and logs. With `force`, a job that runs is stopped first."
    ),
    HttpApiEndpoint.post("clean", "/jobs/clean", {
      payload: Schema.Struct({ before: Time }),
      success: Schema.Struct({ removed: count }),
      error: StoreError
    }).annotate(OpenApi.Summary, "Remove the jobs that stopped before a time (ISO 8601, UTC)."),
    HttpApiEndpoint.get("changes", "/changes", {
      success: changes,
      error: Unavailable
    }).annotate(
      OpenApi.Summary,
      "Watch all jobs: an overview of those that have not stopped, then each change. A slow reader misses outdated changes."
    )
  )
  .add(
    HttpApiEndpoint.get("feed", "/feed", {
      query: {
        job: Schema.optionalKey(JobId),
        after: Schema.optionalKey(count),
        line: Schema.optionalKey(count)
      },
      success: updates,
      error: Unavailable
    }).annotate(
      OpenApi.Summary,
      "Watch all jobs and one of them in one stream: an overview of at most 500 jobs that have not stopped, then each change; the " +
        "events of `job` after number `after`, and, with `line`, its output after that number."
    )
  )
  .middleware(SchemaRefusals)
  .middleware(Authorization)

const Bundles = HttpApiGroup.make("bundles").add(
  HttpApiEndpoint.put("upload", "/bundles/:hash", {
    params: { hash: BundleHash },
    payload: HttpApiSchema.StreamUint8Array({ contentType: "application/json" }),
    error: [Refused, Busy, Unavailable, StoreError]
  }).annotate(
    OpenApi.Summary,
    "Upload a bundle (JSON), which jobs then name by its SHA-256. It is kept as long as a job uses it."
  )
).middleware(SchemaRefusals)
  .middleware(Authorization)

const System = HttpApiGroup.make("system")
  .add(
    HttpApiEndpoint.get("info", "/info", {
      success: Schema.Struct({
        version: Schema.String,
        jobs: Schema.Array(Schema.String),
        counts: Counts,
        status: Schema.optionalKey(ManagerStatus)
      }),
      error: StoreError
    }).annotate(
      OpenApi.Summary,
      "Get the version of the manager, its registered jobs, the number of jobs in each state, its limits, and how many watch it."
    ),
    HttpApiEndpoint.get("jobType", "/job-types/:job", {
      params: { job: JobName },
      success: JobType,
      error: [NotFound, Refused, Busy]
    }).annotate(
      OpenApi.Summary,
      "Get the JSON Schema (draft 2020-12) of the payload of a registered job. There is none if it cannot be written as one."
    ),
    HttpApiEndpoint.get("metrics", "/metrics", {
      success: Schema.String.pipe(HttpApiSchema.asText({ contentType: "text/plain; version=0.0.4; charset=utf-8" })),
      error: StoreError
    }).annotate(OpenApi.Summary, "Get metrics in the text format of Prometheus.")
  )
  .middleware(SchemaRefusals)
  .middleware(Authorization)

const Role = Schema.Literals(["read", "operate"])

const Sessions = HttpApiGroup.make("session")
  .add(
    HttpApiEndpoint.get("session", "/session", { success: Schema.Struct({ role: Role }) })
      .annotate(OpenApi.Summary, "Get what the token of the request may do."),
    HttpApiEndpoint.post("newCode", "/session/codes", { success: Schema.Struct({ code: Schema.String }) })
      .annotate(IsRead, true)
      .annotate(
        OpenApi.Summary,
        "Get a code with which a browser opens the page for the role of this token. It holds once, for a minute."
      )
  )
  .middleware(SchemaRefusals)
  .middleware(Authorization)

/** Answers without authorization, because a code takes the place of a token. */
const Opening = HttpApiGroup.make("opening").add(
  HttpApiEndpoint.post("exchange", "/session", {
    payload: Schema.Struct({ code: Schema.String }),
    success: Schema.Struct({ token: Schema.String, role: Role }),
    error: Unauthorized
  }).annotate(
    OpenApi.Summary,
    "Exchange a code for a token, which holds for 12 hours and as long as the manager runs."
  )
).middleware(SchemaRefusals)

/** Answers without authorization, because the service that keeps the manager running has no token. */
const Health = HttpApiGroup.make("health").add(
  HttpApiEndpoint.get("live", "/health/live").annotate(OpenApi.Summary, "Answers if the manager runs."),
  HttpApiEndpoint.get("proof", "/health/proof", {
    query: { nonce: Schema.String.check(Schema.isPattern(/^[0-9a-f]{64}$/)) },
    success: Schema.Struct({ proof: Schema.String }),
    error: NotFound
  }).annotate(
    OpenApi.Summary,
    "Proves to programs of the manager's own user, which have found the token that it has made, that it has that token: " +
      "HMAC-SHA256 by the token of `autostop proof`, the manager's URL and the nonce, a line each."
  ),
  HttpApiEndpoint.get("ready", "/health/ready", { error: Unavailable })
    .annotate(OpenApi.Summary, "Answers with success if the manager takes jobs.")
).middleware(SchemaRefusals)

export class Api extends HttpApi.make("autostop")
  .add(Jobs)
  .add(Bundles)
  .add(System)
  .add(Sessions)
  .add(Opening)
  .add(Health)
  // a field that nobody reads was misspelt, or is one of another version
  .annotate(HttpApi.PayloadParseOptions, { onExcessProperty: "error" })
  .annotate(HttpApi.QueryParseOptions, { onExcessProperty: "error" })
  .annotateMerge(OpenApi.annotations({
    title: "autostop job manager",
    description: "Runs jobs whose services are stopped in order, within one time budget, with a report."
  }))
{}
