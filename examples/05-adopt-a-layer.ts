// A job adopts an HTTP server that knows nothing of jobs. Run it: `node examples/05-adopt-a-layer.ts`
import { NodeHttpServer } from "@effect/platform-node"
import { Environment, Job, LocalEnvironment, runMain, Service } from "autostop"
import { Console, Effect, Layer, Schema } from "effect"
import { FetchHttpClient, HttpClient, HttpRouter, HttpServer, HttpServerResponse } from "effect/http"
import { createServer } from "node:http"

const routes = HttpRouter.add("GET", "/hello", HttpServerResponse.text("Hello from the job"))

/** A plain Effect server. */
const server = HttpRouter.serve(routes, { disableListenLog: true, disableLogger: true }).pipe(
  Layer.provideMerge(NodeHttpServer.layer(createServer, { host: "127.0.0.1", port: 0 }))
)

const job = Job.make("web", {
  success: Schema.String,
  // it gets a name, a limit and a line in the report, and provides what it provided before
  services: Layer.mergeAll(Service.manage("http", server, { stop: { timeout: "5 seconds" } }), FetchHttpClient.layer),
  run: () =>
    HttpServer.addressFormattedWith(Effect.fnUntraced(function*(url) {
      const response = yield* HttpClient.get(`${url}/hello`)
      yield* Console.log(`while the job runs: ${response.status} ${yield* response.text}`)
      return url
    })).pipe(Effect.orDie)
})

export default job

const program = Effect.gen(function*() {
  const run = yield* Environment.submit(job, {}, { autostop: true })
  const { exit, report } = yield* run.result
  for (const { name, outcome } of report.services) yield* Console.log(`${name}: ${outcome}`)

  const { cause } = yield* Effect.flip(HttpClient.get(`${yield* exit}/hello`))
  yield* Console.log(`after it stopped: ${cause instanceof Error ? cause.cause : cause}`)
})

if (import.meta.main) {
  runMain(program.pipe(Effect.scoped, Effect.provide([LocalEnvironment.layer, FetchHttpClient.layer])))
}
