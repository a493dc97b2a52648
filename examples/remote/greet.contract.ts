// The contract of the job, which is all that a client imports.
import { Job } from "autostop"
import { Schema } from "effect"

export class Mute extends Schema.TaggedError<Mute>()("Mute", { name: Schema.String }) {}

export const Greet = Job.make("greet", {
  payload: { name: Schema.String },
  success: Schema.String,
  error: Mute
})
