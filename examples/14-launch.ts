// An HTTP API, its PostgreSQL pool and a background consumer, all plain layers, that stop well.
// Run it: `DATABASE_URL=postgres://… node examples/14-launch.ts`, and press Ctrl-C. Try `AUTOSTOP_REPORT=report.json`.
import { NodeHttpServer } from "@effect/platform-node"
import { PgClient } from "@effect/sql-pg"
import { autostop } from "autostop"
import { type Cause, Config, Context, Effect, Fiber, Layer, Queue, Stream } from "effect"
import { HttpRouter, HttpServerResponse } from "effect/http"
import { SqlClient } from "effect/sql"
import { createServer } from "node:http"

const Pool = PgClient.layerConfig({ url: Config.Redacted("DATABASE_URL") })

type Record = (page: string) => Effect.Effect<void>

/** Writes visits to the database in the background. Those that it has taken are written before it ends. */
class Visits extends Context.Service<Visits, { readonly record: Record }>()("app/Visits") {
  static readonly layer = Layer.effect(
    Visits,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      yield* sql`CREATE TABLE IF NOT EXISTS visits (page TEXT NOT NULL)`
      const queue = yield* Queue.unbounded<string, Cause.Done>()
      const write = (page: string) => sql`INSERT INTO visits ${sql.insert({ page })}`
      const consumer = yield* Effect.forkScoped(Stream.runForEach(Stream.fromQueue(queue), write))
      yield* Effect.addFinalizer(() => Effect.andThen(Queue.end(queue), Effect.orDie(Fiber.join(consumer))))
      return { record: (page) => Effect.asVoid(Queue.offer(queue, page)) }
    })
  ).pipe(Layer.provide(Pool))
}

const Api = HttpRouter.add(
  "POST",
  "/visits/:page",
  Effect.gen(function*() {
    const { page = "" } = yield* HttpRouter.params
    yield* Visits.use((visits) => visits.record(page))
    return HttpServerResponse.empty({ status: 202 })
  })
)

const port = Config.Int("PORT").pipe(Config.withDefault(3000))
const Server = NodeHttpServer.layerConfig(createServer, { host: Config.succeed("127.0.0.1"), port })
const App = HttpRouter.serve(Api, { disableLogger: true }).pipe(Layer.provide([Visits.layer, Server]))

if ((process.env.DATABASE_URL ?? "") === "") {
  console.error("DATABASE_URL is not set; it names the PostgreSQL database of the visits")
  process.exit(2)
}

// before: NodeRuntime.runMain(Layer.launch(App))
autostop.launch(App)
