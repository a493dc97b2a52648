/** Submits the job `traced` to the manager of this URL and token. */
import { autostop, Environment, Job, RemoteEnvironment } from "autostop"
import { Effect, Schema } from "effect"

const Traced = Job.make("traced", { payload: { ms: Schema.Finite }, success: Schema.String })

const [url = "", token] = process.argv.slice(2)

autostop.runMain(
  Effect.provide(Environment.run(Traced, { ms: 1 }), RemoteEnvironment.layer({ url, token }))
)
