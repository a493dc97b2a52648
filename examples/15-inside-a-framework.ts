// The runtime of a program that another framework runs, here a Hono application: its disposal is bounded, and reported.
// Run it: `node examples/15-inside-a-framework.ts`, request it with curl, and press Ctrl-C.
import { serve } from "@hono/node-server"
import { autostop, StopReport } from "autostop"
import { Console, Context, Effect, Layer } from "effect"
import { Hono } from "hono"
import { setTimeout } from "node:timers/promises"

class Counter extends Context.Service<Counter, { readonly next: Effect.Effect<number> }>()("app/Counter") {
  static readonly layer = Layer.effect(
    Counter,
    Effect.gen(function*() {
      let count = 0
      yield* Effect.addFinalizer(() => Console.log(`the counter closes at ${count}`))
      return { next: Effect.sync(() => ++count) }
    })
  )
}

class Greeter extends Context.Service<Greeter, { readonly greet: (name: string) => Effect.Effect<string> }>()(
  "app/Greeter"
) {
  static readonly layer = Layer.effect(
    Greeter,
    Effect.gen(function*() {
      const { next } = yield* Counter
      yield* Effect.addFinalizer(() => Console.log("the greeter closes"))
      return { greet: (name) => Effect.map(next, (count) => `Hello, ${name}! You are number ${count}.\n`) }
    })
  ).pipe(Layer.provide(Counter.layer))
}

// in place of `ManagedRuntime.make(Greeter.layer)`
const runtime = autostop.managedRuntime(Greeter.layer, { name: "greetings", stopPolicy: { deadline: "5s" } })
await runtime.context() // builds the layers now, and not at the first request

const greet = (name: string, after = 0) =>
  runtime.runPromise(Greeter.use(({ greet }) => Effect.delay(greet(name), after)))

let isStopping = false
const app = new Hono()
  .use(async (c, next) => {
    await next()
    // a connection that is kept alive would keep the server
    if (isStopping) c.header("Connection", "close")
  })
  .get("/", async (c) => c.text(await greet("you")))
  .get("/later/:ms/:name", async (c) => c.text(await greet(c.req.param("name"), Number(c.req.param("ms")))))
  .get("/:name", async (c) => c.text(await greet(c.req.param("name"))))
  // what the disposal interrupts, say
  .onError((_, c) => c.text("not available\n", 503))

const server = serve(
  { fetch: app.fetch, hostname: "127.0.0.1", port: Number(process.env.PORT ?? 3000) },
  ({ port }) => {
    console.log(`listening on http://127.0.0.1:${port}`)
  }
)

// the framework owns the process: its server, its routes, its signals
const stop = async () => {
  isStopping = true
  // takes no more requests; those under way have two seconds until the disposal interrupts them
  const closed = new Promise((resolve) => server.close(resolve))
  const closedWithin = (ms: number) => Promise.race([closed, setTimeout(ms, undefined, { ref: false })])
  await closedWithin(2_000)
  const report = await runtime.dispose()
  console.log(StopReport.render(report))
  // the last answers go out; who does not read them is cut off
  await closedWithin(1_000)
  if ("closeAllConnections" in server) server.closeAllConnections()
  process.exitCode = report.clean ? 0 : 3
}
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, stop)
