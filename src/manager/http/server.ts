/** Serves a `Manager` over HTTP. */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as ByteSize from "effect/ByteSize"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import { MaxBodySize } from "effect/http/HttpIncomingMessage"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import type { ServeError } from "effect/http/HttpServerError"
import * as Layer from "effect/Layer"
import * as NetAddress from "effect/net/NetAddress"
import * as Schema from "effect/Schema"
import { createServer } from "node:http"
import { Api } from "../Api.ts"
import type { Token } from "../Authorization.ts"
import { isLoopback } from "../loopback.ts"
import type { Manager } from "../Manager.ts"
import { newTokenFault, tokenText } from "../token.ts"
import { authorizer, layerAuthorization } from "./authorization.ts"
import { completeAnswers } from "./answers.ts"
import { layerDocs } from "./docs.ts"
import { layerHandlers, ServerStatus } from "./handlers.ts"
import { layerPage } from "./page.ts"
import { PageSessions } from "./pageSessions.ts"
import { refuseExpectation, refuseUnread } from "./refuseUnread.ts"
import { limitsOf, type ServerLimits } from "./serverLimits.ts"
import { layerSessions } from "./sessionHandlers.ts"
import { Strangers } from "./strangers.ts"

export interface ServeOptions {
  /** The address to listen on, `127.0.0.1` by default. An address that other machines can reach needs tokens. */
  readonly host?: string | undefined
  /** The port to listen on; 0 picks a free one. */
  readonly port: number
  readonly tokens?: ReadonlyArray<Token> | undefined
  readonly limits?: Partial<ServerLimits> | undefined
  /** Proves that this is the manager which has made the token that a client has found; none by default. */
  readonly prove?: ((nonce: string) => string | undefined) | undefined
  /** The sessions of browsers, if the program that serves opens some itself. */
  readonly sessions?: PageSessions | undefined
}

/** The settings would let any machine use the manager. Nothing was started. */
export class ServeRefused extends Schema.TaggedError<ServeRefused>()("ServeRefused", { message: Schema.String }) {}

/** The address that the server listens on. */
export class Address extends Context.Service<Address, {
  readonly host: string
  readonly port: number
  readonly url: string
}>()("autostop/manager/Address") {}

/**
 * Serves the HTTP API of a Manager. When it is released, it reports that it is not ready, takes no submissions and ends its
 * streams; requests in flight have `graceMs` to end. The Manager and its jobs are released after that.
 */
export const serveManager = (
  options: ServeOptions
): Layer.Layer<Address, ServeError | ServeRefused, Manager> => {
  const { host = "127.0.0.1", port, prove = () => undefined, sessions = new PageSessions(), tokens = [] } = options
  const limits = limitsOf(options.limits)
  const strangers = new Strangers(limits.connections - limits.keptFree)
  const authorize = authorizer(tokens, strangers, sessions)
  const routes = Layer.mergeAll(HttpApiBuilder.layer(Api), layerDocs(authorize), layerPage()).pipe(
    Layer.provide(Layer.provideMerge(layerSessions(sessions, strangers), layerHandlers)),
    Layer.provide(layerAuthorization(authorize))
  )
  const server = HttpRouter.serve(routes, {
    disableLogger: true,
    disableListenLog: true,
    middleware: completeAnswers(limits)
  }).pipe(
    Layer.provideMerge(layerListening(host, port, limits, strangers)),
    Layer.provide(NodeHttpServer.layerHttpServices),
    Layer.provide(Layer.succeed(MaxBodySize, ByteSize.bytes(limits.bodyBytes)))
  )
  return layerAddress.pipe(
    Layer.provide(server),
    Layer.provide(layerStatus(limits, prove)),
    Layer.provide(Layer.effectDiscard(check(host, tokens)))
  )
}

const check = Effect.fnUntraced(function*(host: string, tokens: ReadonlyArray<Token>) {
  for (const { token } of tokens) {
    const fault = newTokenFault(tokenText(token))
    if (fault !== undefined) return yield* new ServeRefused({ message: `a token ${fault}` })
  }
  if (host.trim() === "") {
    return yield* new ServeRefused({ message: "the host is empty; expected an address such as 127.0.0.1" })
  }
  if (tokens.length === 0 && !isLoopback(host)) {
    return yield* new ServeRefused({
      message: `other machines can reach "${host}": give a token, or listen on a loopback address such as 127.0.0.1`
    })
  }
})

/** A service of its own, because it has to be completed before the server that uses it is released. */
class Ending extends Context.Service<Ending, Deferred.Deferred<void>>()("autostop/manager/Ending") {}

const layerStatus = (
  limits: ServerLimits,
  prove: ServerStatus["Service"]["prove"]
): Layer.Layer<ServerStatus | Ending> =>
  Layer.effectContext(Effect.map(Deferred.make<void>(), (ending) =>
    Context.make(Ending, ending).pipe(
      Context.add(ServerStatus, {
        ending: Deferred.await(ending),
        isEnding: Deferred.isDone(ending),
        heartbeatMs: limits.heartbeatMs,
        uploadBytes: limits.uploadBytes,
        prove
      })
    )))

const layerAddress = Layer.effect(
  Address,
  Effect.gen(function*() {
    const ending = yield* Ending
    const { address } = yield* HttpServer.HttpServer
    yield* Effect.addFinalizer(() => Deferred.succeed(ending, undefined))
    return NetAddress.isUnixPathAddress(address)
      ? yield* Effect.die(new Error("the server listens on a path and not on a port"))
      : {
        host: NetAddress.formatIp(address.address),
        port: address.port,
        url: NetAddress.formatUrlUnsafe(address)
      }
  })
)

/** Listens. Connections of clients that send slowly or nothing are closed, so that others do not wait for them. */
const layerListening = (host: string, port: number, limits: ServerLimits, strangers: Strangers) =>
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
      strangers.watch(server)
      server.on("clientError", refuseUnread(limits))
      server.on("checkExpectation", refuseExpectation)
      // a client that does not read its answer would hold it for ever
      server.on("request", (_, response) =>
        response.setTimeout(limits.writeMs, () => {
          if (response.writableLength > 0 || (response.socket?.writableLength ?? 0) > 0) response.socket?.destroy()
        }))
      // Node does not close a connection that becomes idle after the server was closed
      server.on("request", (_, response) =>
        response.once("finish", () => {
          if (!server.listening) setImmediate(() => server.closeIdleConnections())
        }))
      const serving = yield* NodeHttpServer.make(() => server, { host, port, gracefulShutdownTimeout: limits.graceMs })
      yield* Effect.addFinalizer(() => Effect.sync(() => server.closeAllConnections()))
      return serving
    })
  )
