// A job with a service in a process of its own, which says the processes it is made of, and then waits or blocks.
import { Host, Job } from "autostop"
import { Effect } from "effect"
import { Echo } from "./echo.ts"

export default Job.make("hosted", {
  error: Host.HostError,
  services: Host.layer(Echo, { host: "process" }),
  run: () =>
    Effect.gen(function*() {
      const child = yield* Echo.use((echo) => echo.pid())
      process.stdout.write(`job ${process.pid}\nchild ${child}\nready\n`)
      for (; process.env["BLOCK"] === "run";);
      return yield* Effect.never
    })
})
