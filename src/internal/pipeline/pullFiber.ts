import * as Effect from "effect/Effect"
import type * as Context from "effect/Context"
import type * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { OneShotLatch } from "../../base/oneShotLatch.ts"
import type { StageCounters } from "./stageCounters.ts"

/** Nobody asked for the next pull; it was asked for; the fiber waits until it is; or there is to be none. */
type Demand =
  | { readonly _tag: "None" }
  | { readonly _tag: "Asked" }
  | { readonly _tag: "Awaited"; readonly resume: () => void }
  | { readonly _tag: "Closed" }

const none: Demand = { _tag: "None" }
const asked: Demand = { _tag: "Asked" }
const closed: Demand = { _tag: "Closed" }

/** An interrupt is put off this often because the pull went on: it may have a value in hand. */
const mostDelays = 8

/**
 * A fiber that pulls a stream whenever it is asked to, so that a pull that waits can be interrupted without its consumer.
 * Effect gives an interrupt to a fiber as it leaves an uninterruptible region, which loses what the region returned. This
 * fiber is therefore interrupted only while it waits and can be interrupted; what it has in hand is handed over first.
 */
export class PullFiber<A, E> {
  readonly #stages: StageCounters
  readonly #upstream: Effect.Effect<A, E>
  readonly #context: Context.Context<never>
  readonly #give: (exit: Exit.Exit<A, E>) => void
  readonly #ended = new OneShotLatch()
  #fiber: Fiber.Fiber<unknown, unknown> | undefined
  /** The demand for the next pull: after each pull the fiber waits for it. */
  #demand: Demand = none
  /** The turns of the fiber, counted from the first try to interrupt it. */
  #turns = 0

  /** `give` is called with the exit of each pull, and with that of the fiber if it ends within a pull. */
  constructor(
    stages: StageCounters,
    upstream: Effect.Effect<A, E>,
    context: Context.Context<never>,
    give: (exit: Exit.Exit<A, E>) => void
  ) {
    this.#stages = stages
    this.#upstream = upstream
    this.#context = context
    this.#give = give
  }

  /** Asks for the next pull. */
  ask(): void {
    if (this.#fiber === undefined) return this.#start()
    const demand = this.#demand
    this.#demand = asked
    if (demand._tag === "Awaited") demand.resume()
  }

  #start(): void {
    const turn = Effect.flatMap(Effect.exit(this.#upstream), (exit) => {
      this.#give(exit)
      return this.#demand._tag === "Closed" ? Effect.interrupt : this.#park
    })
    const fiber = Effect.runForkWith(this.#context)(Effect.forever(turn, { disableYield: true }))
    this.#fiber = fiber
    fiber.addObserver((exit) => {
      this.#ended.open()
      // safe: the fiber never succeeds, and fails only by an interrupt or a defect
      this.#give(exit as Exit.Exit<never>)
    })
  }

  readonly #park: Effect.Effect<void> = Effect.callback((resume) => {
    const go = () => {
      this.#demand = none
      resume(Effect.void)
    }
    if (this.#demand._tag === "Asked") go()
    else this.#demand = { _tag: "Awaited", resume: go }
  })

  /** Interrupts the pull once it waits and can be interrupted. What it hands over before that is given as ever. */
  interruptWaiting(): void {
    const fiber = this.#fiber
    if (fiber === undefined || fiber.pollUnsafe() !== undefined || this.#demand._tag === "Awaited") return
    const unwatch = this.#stages.watch(fiber, () => {
      this.#turns++
      tryOnceQuiet()
    })
    fiber.addObserver(unwatch)
    let delays = 0
    const tryOnceQuiet = () => {
      const { currentDispatcher } = fiber
      const turns = this.#turns
      // a fiber that yields goes on within these two turns of its dispatcher
      currentDispatcher.scheduleTask(() =>
        currentDispatcher.scheduleTask(() => {
          if (!isInterruptible(fiber)) return
          if (turns === this.#turns || ++delays > mostDelays) fiber.interruptUnsafe()
        }, 0), 0)
    }
    tryOnceQuiet()
  }

  /** Ends the fiber and waits for its end. A pull under way that cannot be interrupted comes to its end first. */
  readonly close: Effect.Effect<void> = Effect.suspend(() => {
    const fiber = this.#fiber
    if (fiber === undefined || fiber.pollUnsafe() !== undefined) return Effect.void
    if (isInterruptible(fiber)) return Fiber.interrupt(fiber)
    this.#demand = closed
    this.interruptWaiting()
    return this.#ended.await
  })
}

/** Returns true if an interrupt would reach the fiber where it is. */
const isInterruptible = (fiber: Fiber.Fiber<unknown, unknown>): boolean =>
  // safe: a fiber of Effect has this field, which its type does not show
  (fiber as unknown as { readonly interruptible: boolean }).interruptible
