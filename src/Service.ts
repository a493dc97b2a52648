/**
 * A Layer whose start, use and stop are tracked.
 *
 * Outside of a job such a layer behaves as a plain one. Within a job it has a line in the report, is released within a
 * limit of its own, and never keeps another service from being released.
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as EffectContext from "effect/Context"
import { counted } from "./internal/service/callCounter.ts"
import { CurrentRun } from "./internal/run/currentRun.ts"
import { type ServiceOptions, specOf } from "./internal/service/serviceOptions.ts"
import { acquireAs, buildAs } from "./internal/service/serviceFibers.ts"

/**
 * @category models
 * @since 0.1.0
 */
export type Options = ServiceOptions

/**
 * Makes a service from its acquire. `Effect.acquireRelease`, `Effect.addFinalizer` and `Effect.forkScoped` in it belong
 * to the service: they end when it is released.
 *
 * *Details*: where the service is a plain object, calls of its methods are counted (`used` in the report). A fiber
 * that it forked into its scope and that fails makes the job fail.
 *
 * *Gotchas*: an option that is not a duration throws a `PolicyError` here, where it is written.
 *
 * @category constructors
 * @since 0.1.0
 */
export const layer = <I, S, E, R>(
  tag: Context.Key<I, S>,
  acquire: Effect.Effect<NoInfer<S>, E, R>,
  options?: Options
): Layer.Layer<I, E, Exclude<R, Scope.Scope>> => {
  const spec = specOf(options?.name ?? tag.key, options, "local")
  return Layer.fromBuildMemo((memoMap, scope) =>
    Effect.withFiber((fiber) => {
      const run = fiber.getRef(CurrentRun)
      if (run === undefined) {
        return Effect.map(Scope.provide(acquire, scope), (service) => EffectContext.make(tag, service))
      }
      return run.registry.start(spec, memoMap, scope, (record) =>
        Effect.map(acquireAs(record, acquire), (service) =>
          EffectContext.make(tag, counted(service, record))))
    })
  )
}

/**
 * Adopts a layer that someone else wrote, unchanged: a database pool, an HTTP server. What it provides stays the same,
 * whoever depends on it is released first, and its release gets a limit and a line in the report.
 *
 * @category constructors
 * @since 0.1.0
 */
export const manage = <A, E, R>(name: string, layer: Layer.Layer<A, E, R>, options?: Options): Layer.Layer<A, E, R> => {
  const spec = specOf(options?.name ?? name, options, "local")
  return Layer.fromBuildMemo((memoMap, scope) =>
    Effect.withFiber((fiber) => {
      const run = fiber.getRef(CurrentRun)
      return run === undefined
        ? Layer.buildWithMemoMap(layer, memoMap, scope)
        : run.registry.start(spec, memoMap, scope, (record, within) =>
          buildAs(record, Layer.buildWithMemoMap(layer, within, record.scope)))
    })
  )
}
