// A client that submits a job and prints what it sees of it: `node operations.client.ts URL PAYLOAD`
import { Effect, Stream } from "effect"
import { Environment, RemoteEnvironment } from "../../src/index.ts"
import witness from "./fixtures/witness.ts"

const [url = "", payload = ""] = process.argv.slice(2)
const given: typeof witness.payload.Type = JSON.parse(payload)
const say = (line: string) => Effect.sync(() => void process.stdout.write(`${line}\n`))

const program = Effect.gen(function*() {
  const run = yield* Environment.submit(witness, given, { id: given.id })
  yield* say("submitted")
  yield* Stream.runForEach(run.events, (event) => say(JSON.stringify(event)))
  const { report } = yield* run.result
  yield* say(report.outcome)
})

await Effect.runPromise(
  program.pipe(Effect.scoped, Effect.provide(RemoteEnvironment.layer({ url, onDisconnect: "stop" })))
)
