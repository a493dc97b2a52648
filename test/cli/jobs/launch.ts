// An application made of plain layers of Effect's own: a server, a consumer and what they need.
import { Context, Effect, Layer } from "effect"
import { NodeHttpServer } from "@effect/platform-node"
import { HttpRouter, HttpServerResponse } from "effect/http"
import { createServer } from "node:http"
import { autostop } from "autostop"

const print = (line: string) => Effect.sync(() => void process.stdout.write(`${line}\n`))
const hangs = (name: string) => process.env.HANGS === name

const resource = (name: string) =>
  Effect.acquireRelease(
    print(`opened ${name}`),
    () => Effect.andThen(hangs(name) ? Effect.never : Effect.void, print(`closed ${name}`))
  )

class Db extends Context.Service<Db, string>()("app/Db") {}
class Queue extends Context.Service<Queue, string>()("app/Queue") {}

const DbLive = Layer.effect(Db, Effect.as(resource("db"), "db"))
const QueueLive = Layer.effect(Queue, Effect.as(resource("queue"), "queue")).pipe(Layer.provide(DbLive))
const Consumer = Layer.effectDiscard(
  Effect.andThen(Queue, Effect.andThen(resource("consumer"), Effect.forkScoped(Effect.never)))
).pipe(Layer.provide(QueueLive))

const Routes = HttpRouter.add("GET", "/", Effect.map(Db, (db) => HttpServerResponse.text(db)))
const Server = HttpRouter.serve(Routes, { disableLogger: true, disableListenLog: true }).pipe(
  Layer.provide(DbLive),
  Layer.provide(NodeHttpServer.layer(createServer, { host: "127.0.0.1", port: 0 }))
)
const Ready = Layer.effectDiscard(print("ready"))
const Broken = Layer.effectDiscard(Effect.fail("no licence"))

const App = (process.argv[2] === "broken" ? Broken : Ready).pipe(
  Layer.provideMerge(Layer.mergeAll(Server, Consumer))
)

if (process.argv[2] === "provided") {
  autostop.runMain(Effect.andThen(print("running"), Effect.never).pipe(Effect.provide(App)))
} else {
  autostop.launch(App, { stopPolicy: { releaseTimeout: "300ms" } })
}
