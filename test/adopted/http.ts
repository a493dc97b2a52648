import { NodeHttpClient, NodeHttpPlatform, NodeHttpServer, NodeServices } from "@effect/platform-node"
import { Config, Effect, Layer, Schema } from "effect"
import {
  FetchHttpClient,
  type HttpClient,
  HttpRouter,
  HttpServer,
  HttpServerResponse,
  HttpStaticServer
} from "effect/http"
import { HttpApi, HttpApiBuilder, HttpApiEndpoint, HttpApiGroup, HttpApiScalar, HttpApiSwagger } from "effect/http-api"
import {
  Otlp,
  OtlpLogger,
  OtlpMetrics,
  OtlpProxy,
  OtlpSerialization,
  OtlpTracer,
  PrometheusMetrics
} from "effect/observability"
import { RpcClient, RpcSerialization, RpcServer } from "effect/rpc"
import { createServer } from "node:http"
import { createServer as createHttp2Server } from "node:http2"
import type { Layers } from "./layers.ts"
import { Group, handlers } from "./platform.ts"

const local = { host: "127.0.0.1", port: 0 }
/** A server of its own for each layer. */
const server = () => NodeHttpServer.layer(createServer, local)
const ok = HttpServerResponse.text("ok")
const quiet = { disableLogger: true, disableListenLog: true }
const serve = <E, R>(routes: Layer.Layer<never, E, R>) => HttpRouter.serve(routes, quiet).pipe(Layer.provide(server()))

const api = HttpApi.make("api").add(
  HttpApiGroup.make("group").add(HttpApiEndpoint.get("get", "/get", { success: Schema.String }))
)
const apiLayer = HttpApiBuilder.layer(api).pipe(
  Layer.provide(HttpApiBuilder.group(api, "group", (group) => group.handle("get", () => Effect.succeed("ok"))))
)

/** Nobody listens there. */
const nowhere = "http://127.0.0.1:9"
const resource = { serviceName: "adopted" }
/** An exporter, and the collector that it sends to when it is released. */
const exporting = <A, E>(
  exporter: (url: string) => Layer.Layer<A, E, OtlpSerialization.OtlpSerialization | HttpClient.HttpClient>
) =>
  Layer.unwrap(
    Effect.map(
      HttpServer.HttpServer,
      ({ address }) => exporter(`http://127.0.0.1:${"port" in address ? address.port : 0}`)
    )
  ).pipe(
    Layer.provide([OtlpSerialization.layerJson, FetchHttpClient.layer, HttpServer.serve(Effect.succeed(ok))]),
    Layer.provide(server())
  )

export const http: Layers = {
  "NodeHttpServer.layer": server(),
  "NodeHttpServer.layerServer": NodeHttpServer.layerServer(createServer, local),
  "NodeHttpServer.layerServer, HTTP/2": NodeHttpServer.layerServer(createHttp2Server, local),
  "NodeHttpServer.layerConfig": NodeHttpServer.layerConfig(createServer, {
    host: Config.succeed("127.0.0.1"),
    port: Config.succeed(0)
  }),
  "NodeHttpServer.layerTest": NodeHttpServer.layerTest,
  "NodeHttpServer.layerHttpServices": NodeHttpServer.layerHttpServices,
  "NodeHttpPlatform.layer": NodeHttpPlatform.layer,
  "HttpServer.serve": Layer.provide(HttpServer.serve(Effect.succeed(ok)), server()),
  "HttpServer.layerTestClient": Layer.provide(HttpServer.layerTestClient, [FetchHttpClient.layer, server()]),
  "HttpRouter.serve": serve(HttpRouter.add("GET", "/", ok)),
  "HttpRouter.serve, several routes": serve(Layer.mergeAll(
    HttpRouter.add("GET", "/a", ok),
    HttpRouter.add("GET", "/b", ok),
    HttpRouter.add("POST", "/c", ok)
  )),
  "HttpApiBuilder.layer": serve(apiLayer),
  "HttpApiSwagger.layer": serve(Layer.merge(apiLayer, HttpApiSwagger.layer(api))),
  "HttpApiScalar.layer": serve(Layer.merge(apiLayer, HttpApiScalar.layer(api))),
  "HttpStaticServer.layer": serve(
    Layer.provide(HttpStaticServer.layer({ root: "." }), NodeHttpServer.layerHttpServices)
  ),
  "RpcServer.layerHttp": serve(
    RpcServer.layerHttp({ group: Group, path: "/rpc", protocol: "http" }).pipe(
      Layer.provide([handlers, RpcSerialization.layerJson])
    )
  ),
  "RpcServer.layerHttp, WebSocket": serve(
    RpcServer.layerHttp({ group: Group, path: "/rpc", protocol: "websocket" }).pipe(
      Layer.provide([handlers, RpcSerialization.layerNdjson])
    )
  ),
  "RpcClient over HTTP": Layer.provide(RpcClient.layerProtocolHttp({ url: nowhere }), [
    RpcSerialization.layerJson,
    NodeHttpClient.layerUndici
  ]),
  "PrometheusMetrics.layerHttp": serve(PrometheusMetrics.layerHttp()),
  "OtlpProxy.layer": serve(Layer.provide(OtlpProxy.layer({ baseUrl: nowhere }), FetchHttpClient.layer)),

  "FetchHttpClient.layer": FetchHttpClient.layer,
  "NodeHttpClient.layerUndici": NodeHttpClient.layerUndici,
  "NodeHttpClient.layerUndiciOptions": NodeHttpClient.layerUndiciOptions({ connections: 2 }),
  "NodeHttpClient.dispatcherLayerGlobal": NodeHttpClient.dispatcherLayerGlobal,
  "NodeHttpClient.layerNodeHttp": NodeHttpClient.layerNodeHttp,
  "NodeHttpClient.layerNodeHttpOptions": NodeHttpClient.layerNodeHttpOptions({ keepAlive: true }),
  "NodeHttpClient.layerAgent": NodeHttpClient.layerAgent,

  "OtlpTracer.layer": exporting((url) => OtlpTracer.layer({ url, resource })),
  "OtlpLogger.layer": exporting((url) => OtlpLogger.layer({ url, resource })),
  "OtlpMetrics.layer": exporting((url) => OtlpMetrics.layer({ url, resource })),
  "Otlp.layerJson": exporting((baseUrl) => Otlp.layerJson({ baseUrl, resource })),
  "Otlp.layerProtobuf": exporting((baseUrl) => Otlp.layerProtobuf({ baseUrl, resource })),
  "NodeServices.layer, beneath a server": Layer.provideMerge(server(), NodeServices.layer)
}
