/** Answers the requests of the API with a `Manager`. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { version } from "../../process/packageVersion.ts"
import { Api, SchemaRefusals } from "../Api.ts"
import { Refused, Unavailable } from "../errors.ts"
import { Manager } from "../Manager.ts"
import { readPlace } from "../models.ts"
import { metricsText } from "./metrics.ts"

/** The state of the server, for the handlers. */
export class ServerStatus extends Context.Service<ServerStatus, {
  /** Waits until the server is being stopped. */
  readonly ending: Effect.Effect<void>
  readonly isEnding: Effect.Effect<boolean>
  /** The interval of the heartbeats of each stream. */
  readonly heartbeatMs: number
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
    const feed = <A, B, E>(elements: Stream.Stream<A, E>, numbered: (element: A) => readonly [id: number, data: B]) =>
      sse(Stream.map(elements, (element) => {
        const [id, data] = numbered(element)
        return { id, event: "message" as const, data }
      }))
    return handlers.handleAll({
      submit: ({ payload }) => Effect.andThen(isOpen, manager.submit(payload)),
      list: ({ query: { before, limit = 100, ...filter } }) =>
        manager.list({ ...filter, limit, ...(before === undefined ? {} : { before: readPlace(before) }) }),
      get: ({ params }) => manager.get(params.id),
      events: (request) =>
        Effect.as(
          Effect.andThen(isOpen, manager.get(request.params.id)),
          feed(manager.events(request.params.id, position(request)), ({ event, seq }) => [seq, event])
        ),
      logs: (request) =>
        Effect.as(
          Effect.andThen(isOpen, manager.get(request.params.id)),
          feed(manager.logs(request.params.id, position(request)), (line) => [line.seq, line])
        ),
      stages: ({ params }) => manager.stages(params.id),
      stop: ({ params, payload }) => manager.stop(params.id, payload),
      result: ({ params }) => manager.result(params.id),
      report: ({ params }) => Effect.map(manager.result(params.id), ({ report }) => report),
      renew: ({ params }) => manager.renew(params.id),
      remove: ({ params, query }) => manager.remove(params.id, query.force !== undefined && query.force !== "false"),
      clean: ({ payload }) => Effect.map(manager.clean(payload.before), (removed) => ({ removed })),
      changes: () =>
        Effect.as(isOpen, sse(Stream.map(manager.changes, (data) => ({ event: "message" as const, data }))))
    })
  })
)

const bundles = HttpApiBuilder.group(
  Api,
  "bundles",
  Effect.fnUntraced(function*(handlers) {
    const manager = yield* Manager
    const isOpen = requireOpen(yield* ServerStatus)
    return handlers.handle("upload", ({ params, payload }) =>
      Effect.gen(function*() {
        yield* isOpen
        const content = yield* Stream.runCollect(payload)
        yield* manager.upload(params.hash, Buffer.concat(content))
      }))
  })
)

/** Returns the number that a stream starts after, and whether it continues. */
const position = ({ headers, query }: {
  readonly headers: { readonly "last-event-id"?: number }
  readonly query: { readonly after?: number; readonly follow?: boolean }
}) => ({ after: headers["last-event-id"] ?? query.after ?? 0, follow: query.follow ?? false })

/** Adds heartbeats to a stream, and ends it when the server is being stopped. */
const sseOf = ({ ending, heartbeatMs }: ServerStatus["Service"]) => {
  const heartbeat = Stream.map(Stream.tick(heartbeatMs), () => ({ event: "heartbeat" as const, data: "-" }))
  return <A, E>(events: Stream.Stream<A, E>) =>
    Stream.interruptWhen(Stream.merge(events, heartbeat, { haltStrategy: "left" }), ending)
}

const system = HttpApiBuilder.group(
  Api,
  "system",
  Effect.fnUntraced(function*(handlers) {
    const manager = yield* Manager
    return handlers.handleAll({
      info: () =>
        Effect.map(manager.counts, (counts) => ({ version, jobs: manager.jobs.map(({ name }) => name), counts })),
      metrics: () => Effect.zipWith(manager.counts, manager.isReady, metricsText)
    })
  })
)

const health = HttpApiBuilder.group(
  Api,
  "health",
  Effect.fnUntraced(function*(handlers) {
    const manager = yield* Manager
    const isOpen = requireOpen(yield* ServerStatus)
    return handlers.handleAll({
      live: () => Effect.void,
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
      : Effect.fail(new Refused({ message: `${requestParts[error.kind]} is not valid: ${error.cause.message}` }))
)

const requestParts = { Params: "the path", Headers: "a header", Query: "the query", Payload: "the body" }

export const layerHandlers = Layer.provideMerge(Layer.mergeAll(jobs, bundles, system, health), schemaRefusals)
