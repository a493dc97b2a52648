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

// in place of `ManagedRuntime.make(Counter.layer)`
const runtime = autostop.managedRuntime(Counter.layer, { name: "greetings", stopPolicy: { deadline: "5s" } })
await runtime.context() // builds the layers now, and not at the first request

const greet = async (name: string, afterMs = 0) => {
  const count = await runtime.runPromise(Counter.use(({ next }) => Effect.delay(next, afterMs)))
  return `Hello, ${name}! You are number ${count}.\n`
}

let isStopping = false
const app = new Hono()
  .use(async (c, next) => {
    await next()
    // a connection that is kept alive would keep the server
    if (isStopping) c.header("Connection", "close")
  })
  .get("/:name", async (c) => c.text(await greet(c.req.param("name"), Number(c.req.query("after") ?? 0))))
  .onError((_, c) => c.text("not available\n", 503)) // such as a request that the disposal interrupts

const server = serve(
  { fetch: app.fetch, hostname: "127.0.0.1", port: Number(process.env.PORT ?? 3000) },
  ({ port }) => {
    console.log(`listening on http://127.0.0.1:${port}`)
  }
)

// the framework owns the process: its server, its routes, its signals
const stop = async () => {
  isStopping = true
  const closed = new Promise((resolve) => server.close(resolve))
  const closedWithin = (ms: number) => Promise.race([closed, setTimeout(ms, undefined, { ref: false })])
  await closedWithin(2_000) // it takes no more requests; those under way may end
  const report = await runtime.dispose()
  console.log(StopReport.render(report))
  await closedWithin(1_000) // the last answers go out
  if ("closeAllConnections" in server) server.closeAllConnections()
  process.exitCode = report.clean ? 0 : 3
}
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, stop)
