// A job that may take a minute to stop: its own deadline has room for limits that the default one is too short for.
import { Job } from "autostop"
import { Effect } from "effect"

export default Job.make("minute", {
  stopPolicy: { deadline: "60s", drainTimeout: "40s" },
  run: () => Effect.sync(() => process.stdout.write("ready\n"))
})
