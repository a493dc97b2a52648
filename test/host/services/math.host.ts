import { Context, Effect, Layer, Stream } from "effect"
import { Host, Service } from "../../../src/index.ts"
import { Maths, TooLarge } from "./math.ts"

class Memory extends Context.Service<Memory, { readonly limit: number }>()("test/Memory") {}
const memory = Service.layer(Memory, Effect.succeed({ limit: 1_000 }))

const handlers = Maths.group.toLayer(Effect.gen(function*() {
  const { limit } = yield* Memory
  return Maths.group.of({
    double: ({ n }) =>
      n > limit
        ? Effect.fail(new TooLarge({ limit }))
        : n < 0
        ? Effect.die(new Error("negative"))
        : Effect.succeed(2 * n),
    count: ({ to }) => Stream.range(1, to),
    pid: () => Effect.sync(() => process.pid).pipe(Effect.withSpan("a span of the host")),
    spin: ({ ms }) =>
      Effect.sync(() => {
        const end = performance.now() + ms
        while (performance.now() < end);
      }),
    never: () => Effect.never
  })
}))

export default Host.serve(Maths, Layer.provide(handlers, memory))
