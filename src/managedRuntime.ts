/**
 * A runtime for programs that live inside another framework: a web framework, a desktop application, a function.
 *
 * @since 0.2.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as EffectRuntime from "effect/ManagedRuntime"
import { programLimits } from "./internal/policy/programLimits.ts"
import { type HeldLayer, holdLayer } from "./internal/run/heldLayer.ts"
import { CurrentRegistry } from "./internal/service/currentRegistry.ts"
import type { StopPolicy } from "./StopPolicy.ts"
import type { StopReport } from "./StopReport.ts"

/**
 * The options of `managedRuntime`.
 *
 * @category models
 * @since 0.2.0
 */
export interface ManagedRuntimeOptions {
  /** The name in the report; `runtime` by default. */
  readonly name?: string | undefined
  /** The settings of its stop, which win over the configuration (`AUTOSTOP_…`). */
  readonly stopPolicy?: StopPolicy.Settings | undefined
}

type Runs = "runFork" | "runCallback" | "runPromise" | "runPromiseExit" | "runSync" | "runSyncExit" | "context"

/**
 * Effect's `ManagedRuntime`, whose disposal is bounded and reported.
 *
 * @category models
 * @since 0.2.0
 */
export interface ManagedRuntime<R, ER> extends Pick<EffectRuntime.ManagedRuntime<R, ER>, Runs> {
  /** Interrupts what it runs, releases its layers, and resolves with the report. It never rejects. */
  readonly dispose: () => Promise<StopReport>
  /** The same as an effect. */
  readonly disposeEffect: Effect.Effect<StopReport>
  /** Disposes it at the end of an `await using`. */
  readonly [Symbol.asyncDispose]: () => Promise<void>
}

/**
 * Makes a runtime of a layer, which is built at its first use, in place of `ManagedRuntime.make`.
 *
 * **Details**
 *
 * `dispose` interrupts what the runtime runs, within `cancelTimeout` (5 s by default), and releases its layers: each within
 * a limit, dependents first, and one that hangs keeps no other from being released. All of it takes no longer than
 * `deadline`, 25 s by default. A setting that cannot be used fails the first use, and the disposal, with a `PolicyError` as
 * a defect.
 *
 * **Gotchas**
 *
 * The layer is built asynchronously: `runSync` and `runSyncExit` work once another call has used the runtime.
 *
 * @see `launch` for a program that owns its process
 * @category running
 * @since 0.2.0
 */
export const managedRuntime = <R, ER>(
  layer: Layer.Layer<R, ER>,
  { name = "runtime", stopPolicy }: ManagedRuntimeOptions = {}
): ManagedRuntime<R, ER> => {
  let held: HeldLayer<R, ER> | undefined
  const hold = Effect.flatMap(Effect.orDie(programLimits(stopPolicy)), (limits) =>
    Effect.withFiber((fiber) => {
      held ??= holdLayer(layer, { name, limits, endUse: runtime.disposeEffect }, fiber)
      return Effect.succeed(held)
    }))
  const runtime: EffectRuntime.ManagedRuntime<R, ER> = EffectRuntime.make(
    Layer.effectContext(Effect.flatMap(hold, ({ context }) => context))
  )
  const disposeEffect = Effect.flatMap(hold, ({ stop }) =>
    // it may never have been used
    Effect.tap(stop, () => Effect.forkDetach(runtime.disposeEffect)))
  const dispose = () => Effect.runPromise(disposeEffect)
  return {
    runFork: (effect, options) => runtime.runFork(tracked(effect), options),
    runCallback: (effect, options) => runtime.runCallback(tracked(effect), options),
    runPromise: (effect, options) => runtime.runPromise(tracked(effect), options),
    runPromiseExit: (effect, options) => runtime.runPromiseExit(tracked(effect), options),
    runSync: (effect) => runtime.runSync(tracked(effect)),
    runSyncExit: (effect) => runtime.runSyncExit(tracked(effect)),
    context: runtime.context,
    disposeEffect,
    dispose,
    [Symbol.asyncDispose]: () => dispose().then(() => {})
  }
}

/** The layers that an effect provides are services of the runtime, too. */
const tracked = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.withFiber((fiber) => {
    const registry = fiber.getRef(CurrentRegistry)
    return registry === undefined ? effect : Effect.provideService(effect, Layer.CurrentMemoMap, registry.memoMap())
  })
