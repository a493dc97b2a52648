/** An application that says "ready", and runs until a signal. */
import { Context, Effect, Layer } from "effect"
import { autostop } from "autostop"

class Db extends Context.Service<Db, string>()("shop/Db") {}

const DbLive = Layer.effect(Db, Effect.as(Effect.addFinalizer(() => Effect.sleep("20 millis")), "open"))

const Work = Layer.effectDiscard(Effect.gen(function*() {
  yield* Db
  yield* Effect.logInfo("a log of the user").pipe(Effect.withSpan("a span of the user"))
  yield* Effect.sync(() => process.stdout.write("ready\n"))
})).pipe(Layer.provide(DbLive))

autostop.launch(Work, { name: "shop" })
