import type * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type * as Layer from "effect/Layer"
import type { StopReport } from "../../StopReport.ts"
import type { PolicyMillis } from "../policy/policyMillis.ts"
import { noLeftovers } from "../../process/processContext.ts"
import { startProgram } from "./programRun.ts"

/** A layer that is built and held until it is asked to stop. */
export interface HeldLayer<A, E> {
  /** Returns what the layer provides, once it is built. */
  readonly context: Effect.Effect<Context.Context<A>, E>
  /** Stops what it was used for, then the layer. A second call waits for the first one. */
  readonly stop: Effect.Effect<StopReport>
}

export interface HeldLayerOptions {
  readonly name: string
  readonly limits: PolicyMillis
  /** Ends whatever still uses the layer. It has the limit of the cancel. */
  readonly endUse: Effect.Effect<void>
  readonly clock?: Clock.Clock | undefined
}

/** Begins to build a layer, with the context of a fiber. Its release is that of a job: bounded, ordered, reported. */
export const holdLayer = <A, E, R>(
  layer: Layer.Layer<A, E, R>,
  { clock, endUse, limits, name }: HeldLayerOptions,
  starter: Fiber.Fiber<unknown, unknown>
): HeldLayer<A, E> => {
  const built = Deferred.makeUnsafe<Context.Context<A>, E>()
  const use = Effect.contextWith((context: Context.Context<A>) => {
    Deferred.doneUnsafe(built, Exit.succeed(context))
    return Effect.onInterrupt(Effect.never, () => endUse)
  })
  const program = { name, limits, services: layer, run: use, clock, leftovers: noLeftovers }
  const run = startProgram(program, starter)
  run.stopped.onOpen(() => {
    const exit = run.result?.exit
    // safe: before the layer is built nothing but the layer fails
    if (exit?._tag === "Failure") Deferred.doneUnsafe(built, Exit.failCause(exit.cause) as Exit.Exit<never, E>)
  })
  const report = Effect.suspend(() =>
    // safe: the latch opens when the result is there
    run.result === undefined ? Effect.never : Effect.succeed(run.result.report)
  )
  return {
    context: Deferred.await(built),
    stop: Effect.suspend(() => {
      run.stop({ trigger: "stopped", mode: "cancel" })
      return Effect.andThen(run.stopped.await, report)
    })
  }
}
