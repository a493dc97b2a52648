/** A job that calls a service in a process of its own. */
import { Host, Job } from "autostop"
import { Effect } from "effect"
import { Echo } from "./echo.ts"

export default Job.make("calling").implement({
  services: Host.layer(Echo, { host: "process" }),
  run: () =>
    Effect.gen(function*() {
      const echo = yield* Echo
      for (let n = 0; n < 3; n++) yield* Effect.orDie(echo.say({ text: "hello" }))
    })
})
