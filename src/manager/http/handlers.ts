/** Answers the requests of the API with a `Manager`. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import { oneLine } from "../../base/format.ts"
import { version } from "../../process/packageVersion.ts"
import { Api, SchemaRefusals } from "../Api.ts"
import { NotFound, Refused, TooLarge, Unavailable } from "../errors.ts"
import { changes, events, logs, updates } from "../feedSchemas.ts"
import type { JobConditions } from "../JobStore.ts"
import { type LogQuery, Manager } from "../Manager.ts"
import { type Change, type LogLine, type NumberedEvent, readPlace, type Update } from "../models.ts"
import { readSince } from "../since.ts"
import { eventText, feedAnswer } from "./feedAnswer.ts"
import { makePageFeed } from "./pageFeed.ts"
import { submitTrace } from "./submitTrace.ts"

/** The state of the server, for the handlers. */
export class ServerStatus extends Context.Service<ServerStatus, {
  /** Waits until the server is being stopped. */
  readonly ending: Effect.Effect<void>
  readonly isEnding: Effect.Effect<boolean>
  /** The interval of the heartbeats of each stream. */
  readonly heartbeatMs: number
  /** The size of the largest bundle that is taken. */
  readonly uploadBytes: number
  readonly prove: (nonce: string) => string | undefined
}>()("autostop/manager/ServerStatus") {}

/** Fails once the server is being stopped, because the request would only delay that. */
const requireOpen = ({ isEnding }: ServerStatus["Service"]) =>
  Effect.flatMap(
    isEnding,
    (ending) =>
      ending
        ? Effect.fail(new Unavailable({ message: "the job manager is being stopped: try again once it runs again" }))
        : Effect.void
  )

const jobs = HttpApiBuilder.group(
  Api,
  "jobs",
  Effect.fnUntraced(function*(handlers) {
    const manager = yield* Manager
    const status = yield* ServerStatus
    const isOpen = requireOpen(status)
    const sse = sseOf(status)
    const answerEvents = feedAnswer(events, ({ event, seq }: NumberedEvent) => message(seq, event), sse)
    const answerLogs = feedAnswer(logs, (line: LogLine) => message(line.seq, line), sse)
    const answerChanges = feedAnswer(changes, (data: Change) => ({ event: "message" as const, data }), sse)
    const answerPage = feedAnswer(updates, (data: Update) => ({ event: "message" as const, data }), sse)
    const pageFeed = makePageFeed(manager)
    /** Answers with a feed of a job, or nothing if it has no more elements: a browser then does not connect again. */
    const feedOf = <A, E, Query = {}>(
      request: FeedRequest,
      read: (id: string, position: FeedPosition & Query) => Stream.Stream<A, E>,
      answer: (elements: Stream.Stream<A, E>) => HttpServerResponse,
      query: Query
    ) =>
      Effect.gen(function*() {
        yield* isOpen
        const { id } = request.params
        const position = { ...positionOf(request), ...query }
        const { state } = yield* manager.get(id)
        // the last elements of a job that has just stopped may not be on disk yet: who follows it waits for them
        const hasMore = state !== "stopped" ||
          Option.isSome(yield* Stream.runHead(read(id, { ...position, follow: true })))
        return hasMore ? answer(read(id, position)) : undefined
      })
    return handlers.handleAll({
      submit: ({ payload, request }) =>
        Effect.flatMap(
          Effect.andThen(isOpen, submitTrace(request)),
          (traceparent) => manager.submit(payload, traceparent)
        ),
      list: ({ query: { before, limit = 100, ...conditions } }) =>
        Effect.flatMap(
          conditionsOf(conditions),
          (conditions) =>
            manager.list({ ...conditions, limit, ...(before === undefined ? {} : { before: readPlace(before) }) })
        ),
      counts: ({ query }) => Effect.flatMap(conditionsOf(query), manager.countsOf),
      retry: ({ params, payload, request }) =>
        Effect.flatMap(
          Effect.andThen(isOpen, submitTrace(request)),
          (traceparent) => manager.retry(params.id, payload ?? {}, traceparent)
        ),
      get: ({ params }) => manager.get(params.id),
      events: (request) => feedOf(request, manager.events, answerEvents, {}),
      logs: (request) =>
        Effect.flatMap(logQueryOf(request), (query) => feedOf(request, manager.logs, answerLogs, query)),
      stages: ({ params }) => manager.stages(params.id),
      history: ({ params, query }) => manager.history(params.id, query.after),
      stop: ({ params, payload }) => manager.stop(params.id, payload ?? {}),
      result: ({ params }) => manager.result(params.id),
      report: ({ params }) => Effect.map(manager.result(params.id), ({ report }) => report),
      renew: ({ params }) => manager.renew(params.id),
      remove: ({ params, query }) => manager.remove(params.id, query.force !== undefined && query.force !== "false"),
      clean: ({ payload }) => Effect.map(manager.clean(payload.before), (removed) => ({ removed })),
      feed: ({ query }) => Effect.as(isOpen, answerPage(pageFeed(query))),
      changes: () => Effect.as(isOpen, answerChanges(manager.changes))
    })
  })
)

const bundles = HttpApiBuilder.group(
  Api,
  "bundles",
  Effect.fnUntraced(function*(handlers) {
    const manager = yield* Manager
    const status = yield* ServerStatus
    const isOpen = requireOpen(status)
    return handlers.handle("upload", ({ params, payload }) =>
      Effect.gen(function*() {
        yield* isOpen
        const chunks: Array<Uint8Array> = []
        let bytes = 0
        // what is too large is read to its end and dropped, because a client that still sends reads no answer
        yield* Stream.runForEach(payload, (chunk) =>
          Effect.sync(() => {
            bytes += chunk.length
            if (bytes <= status.uploadBytes) chunks.push(chunk)
          }))
        if (bytes > status.uploadBytes) {
          return yield* new TooLarge({
            message:
              `the bundle has ${bytes} bytes, and this manager takes at most ${status.uploadBytes}: import less, or ` +
              "start the manager with a larger --max-upload"
          })
        }
        yield* manager.upload(params.hash, Buffer.concat(chunks))
      }))
  })
)

/** Reads how long ago something was by the clock of the manager, whatever clock the client has. */
const conditionsOf = ({ since, ...conditions }: JobConditions): Effect.Effect<JobConditions> =>
  since === undefined
    ? Effect.succeed(conditions)
    : Effect.map(Clock.currentTimeMillis, (now) => ({ ...conditions, since: readSince(since, now) }))

/** A reader that comes back wants all lines since it was cut off, however many they are. */
const logQueryOf = (
  { headers, query: { grep, since, tail } }: FeedRequest & { readonly query: LogQuery }
): Effect.Effect<LogQuery> =>
  Effect.map(Clock.currentTimeMillis, (now) => ({
    grep,
    since: since === undefined ? undefined : readSince(since, now),
    tail: headers["last-event-id"] === undefined ? tail : undefined
  }))

interface FeedRequest {
  readonly params: { readonly id: string }
  readonly headers: { readonly "last-event-id"?: number }
  readonly query: { readonly after?: number; readonly follow?: boolean }
}

/** The number that a feed starts after, and whether it continues. */
interface FeedPosition {
  readonly after: number
  readonly follow: boolean
}

const positionOf = ({ headers, query }: FeedRequest): FeedPosition => ({
  after: headers["last-event-id"] ?? query.after ?? 0,
  follow: query.follow ?? false
})

/** Adds heartbeats to a stream, and ends it when the server is being stopped. */
const sseOf = ({ ending, heartbeatMs }: ServerStatus["Service"]) => {
  const heartbeat = Buffer.from(eventText({ event: "heartbeat", data: "-" }))
  const heartbeats = Stream.map(Stream.tick(heartbeatMs), () => heartbeat)
  return <E>(bytes: Stream.Stream<Uint8Array, E>) =>
    Stream.interruptWhen(Stream.merge(bytes, heartbeats, { haltStrategy: "left" }), ending)
}

const message = <A>(id: number, data: A) => ({ id, event: "message" as const, data })

const system = HttpApiBuilder.group(
  Api,
  "system",
  Effect.fnUntraced(function*(handlers) {
    const manager = yield* Manager
    return handlers.handleAll({
      info: () =>
        Effect.map(
          manager.counts,
          (counts) => ({ version, jobs: manager.jobs.map(({ name }) => name), counts, status: manager.status() })
        ),
      jobType: ({ params }) => manager.jobType(params.job),
      metrics: () => manager.metrics
    })
  })
)

const health = HttpApiBuilder.group(
  Api,
  "health",
  Effect.fnUntraced(function*(handlers) {
    const manager = yield* Manager
    const status = yield* ServerStatus
    const isOpen = requireOpen(status)
    return handlers.handleAll({
      live: () => Effect.void,
      proof: ({ query: { nonce } }) => {
        const proof = status.prove(nonce)
        return proof === undefined
          ? new NotFound({ id: nonce, message: "this manager has made no token" })
          : Effect.succeed({ proof })
      },
      ready: () =>
        Effect.andThen(
          isOpen,
          Effect.flatMap(
            manager.isReady,
            (ready) =>
              ready
                ? Effect.void
                : new Unavailable({
                  message: "the job manager takes no jobs: it is being stopped, or its store cannot be written"
                })
          )
        )
    })
  })
)

/** Says what is wrong with a request. An answer that its Schema refuses stays a defect of the server. */
const schemaRefusals = HttpApiMiddleware.layerSchemaErrorTransform(
  SchemaRefusals,
  (error) =>
    error.kind === "Body" || error.kind === "ResponseHeaders"
      ? Effect.fail(error)
      : Effect.fail(new Refused({ message: `${requestParts[error.kind]} is not valid: ${faultText(error.cause)}` }))
)

const faultText = ({ message }: { readonly message: string }): string =>
  oneLine(message.replaceAll("Expected no excess property", "Expected no such field"))

const requestParts = { Params: "the path", Headers: "a header", Query: "the query", Payload: "the body" }

export const layerHandlers = Layer.provideMerge(Layer.mergeAll(jobs, bundles, system, health), schemaRefusals)
