// A manager runs several jobs, one at a time; a client reads its HTTP API. Run it: `node examples/11-register-jobs.ts`
import { Environment, JobManager, RemoteEnvironment, runMain } from "autostop"
import { Console, Context, Effect, Layer } from "effect"
import { mkdtempSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import count from "./remote/count.ts"
import { Greet } from "./remote/greet.contract.ts"

const manager = JobManager.layer({
  // each module exports one job; the manager itself never loads it
  jobs: ["greet", "count"].map((name) => new URL(`./remote/${name}.ts`, import.meta.url)),
  folder: mkdtempSync(join(tmpdir(), "autostop-11-")),
  port: 0,
  concurrency: 1,
  tokens: [{ token: "a secret to look with", role: "read" }, { token: "a secret to work with", role: "operate" }]
})

const get = (url: string, token: string) =>
  Effect.promise(async (): Promise<Record<string, unknown>> => {
    const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } })
    return JSON.parse(await response.text())
  })

const program = Effect.gen(function*() {
  const { url } = Context.get(yield* Layer.build(manager), JobManager)
  const results = yield* Effect.all([
    Environment.run(count, { to: 1_000 }),
    Environment.run(Greet, { name: "Ada" })
  ], { concurrency: "unbounded" }).pipe(
    Effect.provide(RemoteEnvironment.layer({ url, token: "a secret to work with" }))
  )
  yield* Console.log(results.join(", "))
  const { counts, jobs } = yield* get(`${url}/info`, "a secret to look with")
  yield* Console.log("registered:", jobs, "by state:", counts)
  yield* Console.log(JSON.stringify(yield* get(`${url}/jobs`, "to guess")))
})

if (import.meta.main) runMain(Effect.scoped(program))
