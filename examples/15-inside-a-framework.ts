// The runtime of a program that another framework runs, here a server of `node:http`: its disposal is bounded, and reported.
// Run it: `node examples/15-inside-a-framework.ts`, request it with curl, and press Ctrl-C.
import { autostop, StopReport } from "autostop"
import { Console, Context, Effect, Layer } from "effect"
import { createServer } from "node:http"

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
const runtime = autostop.managedRuntime(Greeter.layer, { name: "greetings", stopPolicy: { deadline: "10s" } })
await runtime.context() // builds the layers now, and not at the first request

// the framework owns the process: its server, its routes, its signals
const server = createServer((request, response) => {
  runtime.runPromise(Greeter.use(({ greet }) => greet(request.url?.slice(1) || "you"))).then(
    (text) => response.end(text),
    () => response.writeHead(500).end()
  )
})
server.listen(0, "127.0.0.1", () => {
  const address = server.address()
  if (typeof address === "object") console.log(`listening on http://127.0.0.1:${address?.port}`)
})

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    // takes no more requests; those under way are answered before the layers are released
    server.close(async () => {
      const report = await runtime.dispose()
      console.log(StopReport.render(report))
      process.exitCode = report.clean ? 0 : 3
    })
  })
}
