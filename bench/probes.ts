import { Service } from "autostop"
import { Context, Effect, Layer, type Scope } from "effect"

/** A service as small as one can be: one method, one finalizer. */
export interface Probe {
  readonly ping: () => Effect.Effect<number>
}

type Acquire = Effect.Effect<Probe, never, Scope.Scope>

const acquire = (n: number, finalizer: Effect.Effect<void>): Acquire =>
  Effect.as(Effect.addFinalizer(() => finalizer), { ping: () => Effect.succeed(n) })

const tag = (n: number) => Context.Service<Probe>(`bench/Probe${n}`)

const merge = (count: number, layer: (n: number) => Layer.Layer<Probe>): Layer.Layer<Probe> =>
  Layer.mergeAll(layer(0), ...Array.from({ length: count - 1 }, (_, n) => layer(n + 1)))

/** That many managed services, each with a finalizer of its own and a limit of its own. */
export const managed = (
  count: number,
  finalizer: (n: number) => Effect.Effect<void>,
  timeout: `${number}ms` = "5000ms"
): Layer.Layer<Probe> => merge(count, (n) => Service.layer(tag(n), acquire(n, finalizer(n)), { stop: { timeout } }))

/** The same as plain layers. */
export const plain = (count: number, finalizer: (n: number) => Effect.Effect<void>): Layer.Layer<Probe> =>
  merge(count, (n) => Layer.effect(tag(n), acquire(n, finalizer(n))))
