import { Context, Deferred, Effect, Layer, Stream } from "effect"
import { appendFileSync } from "node:fs"
import { Host, Service } from "../../../src/index.ts"
import { type HostileName, hostiles } from "../../support/hostile.ts"
import { Odd } from "./odd.ts"

const make = (kind: HostileName): unknown => hostiles[kind].make()

class Beneath extends Context.Service<Beneath, { readonly die: (value: unknown) => Effect.Effect<void> }>()(
  "test/Beneath"
) {}

const beneath = Service.layer(
  Beneath,
  Effect.gen(function*() {
    const journal = process.env["ODD_JOURNAL"]
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        if (journal !== undefined) appendFileSync(journal, "released\n")
      })
    )
    const death = yield* Deferred.make<never>()
    yield* Effect.forkScoped(Deferred.await(death))
    return { die: (value) => Effect.asVoid(Deferred.die(death, value)) }
  })
)

const handlers = Odd.group.toLayer(Effect.gen(function*() {
  const { die } = yield* Beneath
  return Odd.group.of({
    // safe: what these return or fail with does not fit their Schemas, which is what the test is about
    fail: ({ kind }) => Effect.fail(make(kind) as { readonly at: number }),
    succeed: ({ kind }) => Effect.sync(() => make(kind) as { readonly at: number }),
    stream: ({ kind }) => Stream.concat(Stream.make(1), Stream.fail(make(kind) as string)),
    die: ({ kind }) => Effect.die(make(kind)),
    throw: ({ kind }): Effect.Effect<void> => {
      throw make(kind)
    },
    take: () => Effect.void,
    crash: ({ kind }) =>
      Effect.andThen(
        Effect.sync(() =>
          setImmediate(() => {
            throw make(kind)
          })
        ),
        Effect.never
      ),
    break: ({ kind }) => Effect.andThen(die(make(kind)), Effect.never),
    answer: () => Effect.succeed(42)
  })
}))

export default Host.serve(Odd, Layer.provide(handlers, beneath))
