/**
 * Services: Layers whose start, use and stop are tracked.
 *
 * Outside of a job such a layer behaves as a plain one. Within a job it has a line in the report, it is released within a
 * limit of its own, and it never keeps another service from being released.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { acquireAs, buildAs } from "./internal/service/acquire.ts"
import { counted } from "./internal/service/callCounter.ts"
import { CurrentRegistry } from "./internal/service/currentRegistry.ts"
import { type ServiceOptions, serviceSpec } from "./internal/service/serviceOptions.ts"

/**
 * The options of a service: its name in the report, and the limits of its start and its release.
 *
 * @category models
 * @since 0.1.0
 */
export type Options = ServiceOptions

/**
 * Makes a service from its acquire. `Effect.acquireRelease`, `Effect.addFinalizer` and `Effect.forkScoped` in it belong to
 * the service: they end when it is released.
 *
 * **Details**
 *
 * If the service is a plain object, calls of its methods are counted (`used` in the report). If a fiber that the service
 * forked into its scope fails, the job fails.
 *
 * **Gotchas**
 *
 * An option that is not a duration throws a `Cause.IllegalArgumentError` here, where it is written.
 *
 * @see {@link manage} for a layer that somebody else wrote
 * @category constructors
 * @since 0.1.0
 */
export const layer = <I, S, E, R>(
  tag: Context.Key<I, S>,
  acquire: Effect.Effect<NoInfer<S>, E, R>,
  options?: Options
): Layer.Layer<I, E, Exclude<R, Scope.Scope>> => {
  const spec = serviceSpec(options?.name ?? tag.key, options, "local")
  const made = Effect.map(acquire, (service) => Context.make(tag, service))
  return Layer.fromBuildMemo((memoMap, scope) =>
    Effect.withFiber((fiber) => {
      const registry = fiber.getRef(CurrentRegistry)
      if (registry === undefined) return Scope.provide(made, scope)
      return registry.start(spec, memoMap, scope, (record) =>
        acquireAs(
          record,
          Effect.map(acquire, (service) => Context.make(tag, counted(service, record)))
        ))
    })
  )
}

/**
 * Adopts a layer that somebody else wrote, unchanged: a database pool, an HTTP server. It provides the same services, its
 * dependents are released first, and its release gets a limit and a line in the report.
 *
 * @see `layer` for a service of your own
 * @category constructors
 * @since 0.1.0
 */
export const manage = <A, E, R>(name: string, layer: Layer.Layer<A, E, R>, options?: Options): Layer.Layer<A, E, R> => {
  const spec = serviceSpec(options?.name ?? name, options, "local")
  return Layer.fromBuildMemo((memoMap, scope) =>
    Effect.withFiber((fiber) => {
      const registry = fiber.getRef(CurrentRegistry)
      return registry === undefined
        ? Layer.buildWithMemoMap(layer, memoMap, scope)
        : registry.start(spec, memoMap, scope, (record, within) =>
          buildAs(record, Layer.buildWithMemoMap(layer, within, record.scope)))
    })
  )
}
