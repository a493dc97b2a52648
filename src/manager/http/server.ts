/** Serves a `Manager` over HTTP. */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as ByteSize from "effect/ByteSize"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { MaxBodySize } from "effect/http/HttpIncomingMessage"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import type { ServeError } from "effect/http/HttpServerError"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as HttpApiScalar from "effect/http-api/HttpApiScalar"
import * as Layer from "effect/Layer"
import * as NetAddress from "effect/net/NetAddress"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { createServer } from "node:http"
import { Api, heartbeatMs } from "../Api.ts"
import { isLoopback, layerAuthorization, type Token } from "./authorization.ts"
import { layerHandlers, Serving } from "./handlers.ts"
import type { Manager } from "../Manager.ts"

/** What one client can take of the server. */
export interface Limits {
  /** The body of a request. 1 MiB by default. */
  readonly bodyBytes: number
  /** All headers of a request. 16 KiB by default. */
  readonly headerBytes: number
  /** How long a client may take to send its headers. 10 s by default. */
  readonly headersMs: number
  /** How long it may take to send the whole request; an answer may take longer. 30 s by default. */
  readonly requestMs: number
  /** How many connections there are at once; others are closed as they come. 1,024 by default. */
  readonly connections: number
  /** How long requests that are under way hold up a stop. 2 s by default. */
  readonly graceMs: number
  /** How often a stream says that it is alive. 15 s by default. */
  readonly heartbeatMs: number
}

const defaults: Limits = {
  bodyBytes: 1024 * 1024,
  headerBytes: 16 * 1024,
  headersMs: 10_000,
  requestMs: 30_000,
  connections: 1024,
  graceMs: 2_000,
  heartbeatMs
}

export interface ServeOptions {
  /** `127.0.0.1` by default. One that others can reach takes a token. */
  readonly host?: string | undefined
  /** 0 for one that is free. */
  readonly port: number
  readonly tokens?: ReadonlyArray<Token> | undefined
  readonly limits?: Partial<Limits> | undefined
}

/** Settings that would serve whoever comes by. Nothing was started. */
export class ServeRefused extends Schema.TaggedError<ServeRefused>()("ServeRefused", { message: Schema.String }) {}

/** Where the server really is. */
export class Address extends Context.Service<Address, {
  readonly host: string
  readonly port: number
  readonly url: string
}>()("autostop/manager/Address") {}

/**
 * The HTTP API of a Manager. Released, it first says that it is not ready, takes no submits and ends its streams; what is
 * under way then has a moment to end. The Manager, and its jobs, are stopped after that by whoever owns it.
 */
export const serveManager = (
  options: ServeOptions
): Layer.Layer<Address, ServeError | ServeRefused, Manager> => {
  const { host = "127.0.0.1", port, tokens = [] } = options
  const limits: Limits = { ...defaults, ...options.limits }
  const routes = Layer.mergeAll(
    HttpApiBuilder.layer(Api, { openapiPath: "/openapi.json" }),
    HttpApiScalar.layer(Api, { path: "/docs" })
  ).pipe(Layer.provide(layerHandlers), Layer.provide(layerAuthorization(tokens)))
  const server = HttpRouter.serve(routes, { disableLogger: true, disableListenLog: true }).pipe(
    Layer.provideMerge(layerListening(host, port, limits)),
    Layer.provide(NodeHttpServer.layerHttpServices),
    Layer.provide(Layer.succeed(MaxBodySize, ByteSize.bytes(limits.bodyBytes)))
  )
  return layerAddress.pipe(
    Layer.provide(server),
    Layer.provide(layerServing(limits)),
    Layer.provide(Layer.effectDiscard(check(host, tokens)))
  )
}

const check = Effect.fnUntraced(function*(host: string, tokens: ReadonlyArray<Token>) {
  for (const { token } of tokens) {
    if ((typeof token === "string" ? token : Redacted.value(token)) === "") {
      return yield* new ServeRefused({ message: "a token is empty" })
    }
  }
  if (tokens.length === 0 && !isLoopback(host)) {
    return yield* new ServeRefused({
      message: `"${host}" can be reached by others: that takes a token; without one only a loopback address is served`
    })
  }
})

/** Set apart from its use: what is released first has to end what is served. */
class Ending extends Context.Service<Ending, Deferred.Deferred<void>>()("autostop/manager/Ending") {}

const layerServing = (limits: Limits): Layer.Layer<Serving | Ending> =>
  Layer.effectContext(Effect.map(Deferred.make<void>(), (ending) =>
    Context.make(Ending, ending).pipe(
      Context.add(Serving, {
        ends: Deferred.await(ending),
        isEnding: Deferred.isDone(ending),
        heartbeatMs: limits.heartbeatMs
      })
    )))

const layerAddress = Layer.effect(
  Address,
  Effect.gen(function*() {
    const ending = yield* Ending
    const { address } = yield* HttpServer.HttpServer
    yield* Effect.addFinalizer(() => Deferred.succeed(ending, undefined))
    return NetAddress.isUnixPathAddress(address)
      ? yield* Effect.die(new Error("it listens on a path"))
      : {
        host: NetAddress.formatIp(address.address),
        port: address.port,
        url: NetAddress.formatUrlUnsafe(address)
      }
  })
)

/** A server that listens. A client that sends slowly, or nothing, is closed: those that do not must not wait for it. */
const layerListening = (host: string, port: number, limits: Limits) =>
  Layer.effect(
    HttpServer.HttpServer,
    Effect.gen(function*() {
      const server = createServer({
        maxHeaderSize: limits.headerBytes,
        headersTimeout: Math.min(limits.headersMs, limits.requestMs),
        requestTimeout: limits.requestMs,
        connectionsCheckingInterval: Math.min(5_000, limits.headersMs)
      })
      server.maxConnections = limits.connections
      // a connection that comes to rest after the server was closed is not closed by anybody else
      server.on("request", (_, response) =>
        response.once("finish", () => {
          if (!server.listening) setImmediate(() => server.closeIdleConnections())
        }))
      const serving = yield* NodeHttpServer.make(() => server, { host, port, gracefulShutdownTimeout: limits.graceMs })
      yield* Effect.addFinalizer(() => Effect.sync(() => server.closeAllConnections()))
      return serving
    })
  )
