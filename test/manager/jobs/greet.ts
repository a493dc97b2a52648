// A job for the command line's own manager: it greets, and may wait, fail, or block its event loop.
import { Job, Service } from "autostop"
import { Console, Context, Effect, Schema } from "effect"

class Voice extends Context.Service<Voice, { readonly loud: boolean }>()("test/Voice") {}

const voice = Service.layer(
  Voice,
  Effect.as(Effect.acquireRelease(Console.log("opened voice"), () => Console.log("closed voice")), { loud: true })
)

export default Job.make("greet", {
  payload: { name: Schema.String, act: Schema.optionalKey(Schema.Literals(["wait", "block", "fail"])) },
  success: Schema.String,
  error: Schema.String,
  stopPolicy: { deadline: "2 seconds", drainTimeout: "1 second" },
  services: voice,
  run: ({ act, name }) =>
    Effect.gen(function*() {
      yield* Console.log(`hello ${name} from ${process.pid}`)
      if (act === "fail") return yield* Effect.fail("no voice today")
      if (act === "wait") return yield* Effect.never
      if (act === "block") { for (;;); }
      return `hello ${name}`
    })
})
