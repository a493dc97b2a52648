/** A job whose code makes spans and counts, and which runs until it is told to end. */
import { Job, Service } from "autostop"
import { Context, Effect, Layer, Schema } from "effect"

const variables = Object.keys(process.env).filter((name) => name.startsWith("OTEL"))

class Db extends Context.Service<Db, string>()("traced/Db") {}

export default Job.make("traced", { payload: { ms: Schema.Finite }, success: Schema.String }).implement({
  services: Service.manage("Db", Layer.effect(Db, Effect.as(Effect.addFinalizer(() => Effect.sleep(20)), "open"))),
  run: ({ ms }) =>
    Effect.gen(function*() {
      yield* Db
      yield* Effect.sleep(5).pipe(Effect.withSpan("a span of the user", { attributes: { secret: "no", odd: {} } }))
      yield* Effect.sync(() => process.stdout.write(`otel: ${variables.length === 0 ? "none" : variables}\n`))
      yield* Effect.sleep(ms)
      return "done"
    })
})
