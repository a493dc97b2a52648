import { Job, Service } from "autostop"
import { Context, Effect, Layer, Schema } from "effect"

/** Does what its payload says: nothing, wait for a stop, or start many services, each of which has its events. */
export const contract = Job.make("bench", {
  payload: { act: Schema.Literals(["end", "wait", "tell"]) }
})

/** How many services of the job have events. */
export const services = 500

const many = Array.from(
  { length: services },
  (_, n) => Service.layer(Context.Service<{ readonly n: number }>(`bench/Service${n}`), Effect.succeed({ n }))
)
const [first = Layer.empty, ...others] = many

export default contract.implement({
  run: ({ act }) =>
    act === "wait"
      ? Effect.never
      : act === "tell"
      ? Effect.asVoid(Effect.scoped(Layer.build(Layer.mergeAll(first, ...others))))
      : Effect.void
})
