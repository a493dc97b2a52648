// A second job for the manager: it counts numbers.
import { Job, Pipeline } from "autostop"
import { Schema, Stream } from "effect"

export default Job.make("count", {
  payload: { to: Schema.Int },
  success: Schema.Int,
  run: ({ to }) => Stream.range(1, to).pipe(Pipeline.source("numbers"), Stream.runCount)
})
