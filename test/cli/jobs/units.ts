// A job that works at one unit after the other, or that needs a while, and says what it does.
import { Job } from "autostop"
import { Effect, Schema } from "effect"

const say = (line: string) => Effect.sync(() => void process.stdout.write(`${line}\n`))

const work = Effect.andThen(Effect.andThen(say("work begins"), Effect.sleep("400 millis")), say("work ends"))

export default Job.make("units", {
  payload: { act: Schema.Literals(["units", "work"]) },
  run: ({ act }) => act === "units" ? Effect.forever(Job.unit("unit", work)) : work
})
