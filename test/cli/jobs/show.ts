// A job that shows its payload; the variable PAYLOAD says which Schema that has.
import { Job } from "autostop"
import { Effect, Schema } from "effect"

const schemas: Readonly<Record<string, Schema.Top>> = {
  void: Schema.Void,
  maybe: Schema.UndefinedOr(Schema.String),
  optional: Schema.Struct({ name: Schema.optionalKey(Schema.String) }),
  text: Schema.String
}

export default Job.make("show", {
  payload: schemas[process.env["PAYLOAD"] ?? "text"] ?? Schema.Unknown,
  run: (payload) =>
    Effect.sync(() => {
      const text = JSON.stringify(payload) ?? "nothing"
      process.stdout.write(`payload ${text.length < 100 ? text : text.length}\n`)
    })
})
