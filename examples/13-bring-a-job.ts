// A client brings the code of its job to a manager that does not have it. Run it: `node examples/13-bring-a-job.ts`
import { Environment, Job, JobManager, RemoteEnvironment, runMain } from "autostop"
import { Console, Context, Effect, Layer, Random, Schema } from "effect"
import { mkdtempSync, readFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** Because it names its `module`, it is bundled with its imports, uploaded once by its hash, and run at the manager. */
const dice = Job.make("dice", {
  module: import.meta.url,
  payload: { wanted: Schema.Int },
  success: Schema.Int,
  error: Schema.String,
  run: Effect.fn(function*({ wanted }) {
    const rolled = yield* Random.nextIntBetween(1, 7)
    yield* Console.log(`rolled ${rolled} in process ${process.pid}`)
    return rolled < wanted ? yield* Effect.fail(`only ${rolled}`) : rolled
  })
})

/** Uploaded code runs under Node's permission model, with what the manager allows. */
const nosy = Job.make("nosy", {
  module: import.meta.url,
  success: Schema.String,
  run: () => Effect.sync(() => readFileSync("/etc/passwd", "utf8"))
})

const program = Effect.gen(function*() {
  const folder = mkdtempSync(join(tmpdir(), "autostop-13-"))
  const { url } = Context.get(yield* Layer.build(JobManager.layer({ jobs: [], folder, port: 0 })), JobManager)
  yield* Effect.gen(function*() {
    // the manager begins it again until it succeeds
    const again = { restart: { policy: "fixed", delay: "10 millis" } } as const
    const submit = Environment.submit(dice, { wanted: 4 })
    const run = yield* Effect.provideService(submit, RemoteEnvironment.RunOptions, again)
    const { exit, report } = yield* run.result
    yield* Console.log(`${(yield* exit) >= 4 ? "enough" : "too little"}, and the last attempt was ${report.outcome}`)
    const peek = yield* Effect.exit(Environment.run(nosy, {}))
    yield* Console.log(String(peek).includes("restricted") ? "it may not read that" : "it read that")
  }).pipe(Effect.provide(RemoteEnvironment.layer({ url })))
})

export { dice, nosy }

if (import.meta.main) runMain(Effect.scoped(program))
