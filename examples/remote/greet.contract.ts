// What a client needs to know of the job: its name, and what goes in and what comes out.
import { Job } from "autostop"
import { Schema } from "effect"

export class Mute extends Schema.TaggedError<Mute>()("Mute", { name: Schema.String }) {}

export const Greet = Job.make("greet", {
  payload: { name: Schema.String },
  success: Schema.String,
  error: Mute
})
