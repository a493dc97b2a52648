// A job that gets a value that is hard to print, in the way that its payload says.
import { Job, Service } from "autostop"
import { Effect, Layer, Schema } from "effect"
import { hostileNames, makeHostile } from "../../support/hostile.ts"

const say = (line: string) => Effect.sync(() => void process.stdout.write(`${line}\n`))

const service = (name: string, close: Effect.Effect<void> = Effect.void) =>
  Service.manage(
    name,
    Layer.effectDiscard(
      Effect.acquireRelease(say(`opened ${name}`), () => Effect.andThen(close, say(`closed ${name}`)))
    )
  )

const inner = service("inner")
const outer = service("outer").pipe(Layer.provide(inner))

export default Job.make("hostile", {
  payload: {
    act: Schema.Literals(["throw", "reject", "fail", "die", "return", "log", "release", "exit"]),
    kind: Schema.Literals(hostileNames)
  },
  success: Schema.Unknown,
  error: Schema.Unknown,
  services: outer,
  run: ({ act, kind }) =>
    Effect.gen(function*() {
      const value = () => makeHostile({ kind, within: [] })
      switch (act) {
        case "throw":
          setTimeout(() => {
            throw value()
          })
          return yield* Effect.never
        case "reject":
          void Promise.reject(value())
          return yield* Effect.never
        case "fail":
          return yield* Effect.fail(value())
        case "die":
          return yield* Effect.die(value())
        case "log":
          return yield* Effect.logError("a cause", yield* Effect.flip(Effect.sandbox(Effect.die(value()))))
        case "release":
          return yield* Effect.addFinalizer(() => Effect.die(value()))
        case "exit":
          // safe: what a program without types does
          return process.exit(value() as number)
        case "return":
          return value()
      }
    })
})
