// An HTTP server of one route, launched by one or the other: `node bench/launch/server.ts autostop|effect`
import { NodeHttpServer, NodeRuntime } from "@effect/platform-node"
import { autostop } from "autostop"
import { Effect, Layer } from "effect"
import { HttpRouter, HttpServer, HttpServerResponse } from "effect/http"
import { createServer } from "node:http"

const listening = Layer.effectDiscard(
  Effect.map(HttpServer.HttpServer, ({ address }) => {
    process.send?.("port" in address ? address.port : 0)
  })
)
const routes = HttpRouter.add("GET", "/", HttpServerResponse.text("hello"))
const App = Layer.merge(HttpRouter.serve(routes, { disableLogger: true, disableListenLog: true }), listening).pipe(
  Layer.provide(NodeHttpServer.layer(createServer, { host: "127.0.0.1", port: 0 }))
)

process.on("message", () => process.send?.(process.cpuUsage()))

if (process.argv[2] === "autostop") autostop.launch(App)
else NodeRuntime.runMain(Layer.launch(App))
