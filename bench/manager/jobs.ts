import { Job, Service } from "autostop"
import { Context, Effect, Layer, Schema } from "effect"

/** Nothing, wait for a stop, or start many services, each of which has its events: all at once, or one after the other. */
const Act = Schema.Literals(["end", "wait", "tell", "trickle"])
export type Act = typeof Act.Type

/** Does what its payload says. */
export const contract = Job.make("bench", { payload: { act: Act } })

/** How many services of the job have events: they start, have started, are released and gone. */
export const services = 500

/** The pause after each that is started alone. */
export const pauseMs = 4

const many = Array.from(
  { length: services },
  (_, n) => Service.layer(Context.Service<{ readonly n: number }>(`bench/Service${n}`), Effect.succeed({ n }))
)
const [first = Layer.empty, ...others] = many

const tell = Effect.scoped(Layer.build(Layer.mergeAll(first, ...others)))

const trickle = Effect.forEach(
  many,
  (layer) => Effect.andThen(Effect.scoped(Layer.build(layer)), Effect.sleep(pauseMs)),
  { discard: true }
)

const acts: { readonly [A in Act]: Effect.Effect<unknown> } = {
  end: Effect.void,
  wait: Effect.never,
  tell,
  trickle
}

export default contract.implement({ run: ({ act }) => Effect.asVoid(acts[act]) })
