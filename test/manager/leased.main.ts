// A client whose job is to be stopped with it: `node leased.main.ts URL ID`
import { Effect } from "effect"
import { Environment, RemoteEnvironment } from "../../src/index.ts"
import greet from "./fixtures/greet.ts"

const [url = "", id = ""] = process.argv.slice(2)

const program = Effect.gen(function*() {
  const run = yield* Environment.submit(greet, { name: "Ada", act: "wait" }, { id })
  yield* Effect.sync(() => process.stdout.write("submitted\n"))
  yield* run.result
})

await Effect.runPromise(
  program.pipe(Effect.scoped, Effect.provide(RemoteEnvironment.layer({ url, onDisconnect: "stop" })))
)
