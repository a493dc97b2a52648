import { Context, Deferred, Effect, Layer, Stream } from "effect"
import { Host, Service } from "../../../src/index.ts"
import { Desk, Refused } from "./desk.ts"

/** What was finalized: a service beneath the handlers. */
class Finalized extends Context.Service<Finalized, Array<string>>()("test/Finalized") {}
const finalized = Service.layer(Finalized, Effect.sync(() => []))

const handlers = Desk.group.toLayer(Effect.gen(function*() {
  const finalized = yield* Finalized
  const held = yield* Deferred.make<void>()
  const letGo = yield* Deferred.make<void>()
  const open = yield* Deferred.make<void>()
  let made = 0
  const broken = (to: number) => Stream.concat(Stream.range(1, to), Stream.fail(new Refused({ why: `after ${to}` })))
  return Desk.group.of({
    add: ({ a, b }) => Effect.succeed(a + b),
    refuse: ({ why }) => Effect.fail(new Refused({ why })),
    die: ({ message }) => Effect.die(new Error(message)),
    hold: () =>
      Effect.onInterrupt(
        Effect.andThen(Deferred.succeed(held, undefined), Effect.never),
        () =>
          Deferred.succeed(letGo, undefined).pipe(
            Effect.andThen(Deferred.await(open)),
            Effect.andThen(Effect.sync(() => finalized.push("hold")))
          )
      ),
    held: () => Deferred.await(held),
    letGo: () => Deferred.await(letGo),
    open: () => Effect.asVoid(Deferred.succeed(open, undefined)),
    finalized: () => Effect.sync(() => finalized),
    made: () => Effect.sync(() => made),
    range: ({ to }) => Stream.range(1, to),
    endless: () =>
      Stream.fromEffectRepeat(Effect.sync(() => ++made)).pipe(
        Stream.ensuring(Effect.sync(() => finalized.push("endless")))
      ),
    broken: ({ to }) => broken(to),
    dying: ({ to }) => Stream.concat(Stream.range(1, to), Stream.die(new Error(`dead after ${to}`))),
    queued: ({ to }) => Stream.toQueue(broken(to), { capacity: 2 }),
    later: ({ n }) =>
      Effect.gen(function*() {
        const deferred = yield* Deferred.make<number, Refused>()
        const answer = n < 0 ? Deferred.fail(deferred, new Refused({ why: "negative" })) : Deferred.succeed(deferred, n)
        yield* Effect.forkChild(Effect.andThen(Effect.yieldNow, answer))
        return deferred
      }),
    values: (values) => Effect.succeed(values),
    bytes: ({ bytes }) => Effect.sync(() => bytes.toReversed()),
    pid: () => Effect.sync(() => process.pid)
  })
}))

export default Host.serve(Desk, Layer.provide(handlers, finalized))
