// Runs jobs at a job manager: only the layer of the environment changes. Run it: `node examples/10-remote.ts`
import { Environment, JobManager, RemoteEnvironment, runMain, StopReport } from "autostop"
import { Console, Context, Effect, Exit, Layer, Stream } from "effect"
import { mkdtempSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Greet } from "./remote/greet.contract.ts"

// the contract is enough: the manager has the implementation, and runs it in a process of its own
const client = Effect.gen(function*() {
  const run = yield* Environment.submit(Greet, { name: "Ada" }, { autostop: true })
  yield* run.events.pipe(
    Stream.filter((event) => event._tag === "ServiceStarted" || event._tag === "ServiceStopped"),
    Stream.runForEach((event) => Console.log(`${event._tag} ${event.service}`))
  )
  const { exit, report } = yield* run.result
  yield* Console.log(`${yield* exit}, as the manager says`)
  yield* Console.log(StopReport.render(report))

  // an error keeps its type across the wire
  const failed = yield* Effect.exit(Environment.run(Greet, { name: "Nobody" }))
  yield* Console.log(
    Exit.isFailure(failed) ? `nobody: ${failed.cause.reasons.map((reason) => reason._tag).join()}` : ""
  )
})

// elsewhere this is `autostop serve --jobs examples/remote/greet.ts`
const manager = JobManager.layer({
  jobs: [new URL("./remote/greet.ts", import.meta.url)],
  folder: mkdtempSync(join(tmpdir(), "autostop-10-")),
  port: 0
})

const program = Effect.gen(function*() {
  const { url } = Context.get(yield* Layer.build(manager), JobManager)
  yield* client.pipe(Effect.provide(RemoteEnvironment.layer({ url })))
})

if (import.meta.main) runMain(Effect.scoped(program))
