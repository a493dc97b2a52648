import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type { StageCounters } from "./stageCounters.ts"

type AnyFiber = Fiber.Fiber<unknown, unknown>

/** A fiber that waits until the next pull is asked for, and whether that was so before it waited. */
type Demand =
  | { readonly _tag: "None" }
  | { readonly _tag: "Asked" }
  | { readonly _tag: "Awaited"; readonly resume: () => void }

const none: Demand = { _tag: "None" }
const asked: Demand = { _tag: "Asked" }

/** An interrupt is put off this often because the pull went on: it may have a value in hand. */
const mostDelays = 8

/**
 * Pulls a stream on a fiber of its own whenever it is asked to, so that a pull that waits can be interrupted without its
 * consumer. Effect gives an interrupt to a fiber as it leaves an uninterruptible region, which loses what the region
 * returned. This fiber is therefore interrupted only while it waits and can be interrupted; what it has in hand is handed
 * over first.
 *
 * A fiber ends with its pull: one that begins and ends in one turn costs a fraction of one that waits for the next pull. One
 * that has forked children is kept and pulls on, because they end with it.
 */
export class PullFiber<A, E> {
  readonly #stages: StageCounters
  readonly #fork: (effect: Effect.Effect<void>) => AnyFiber
  readonly #give: (exit: Exit.Exit<A, E>) => void
  readonly #pull: Effect.Effect<void>
  /** The fiber of the pull under way, or the one that is kept. */
  #fiber: AnyFiber | undefined
  #isKept = false
  #isClosed = false
  /** The demand for the next pull of a fiber that is kept. */
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
    this.#fork = Effect.runForkWith(context)
    this.#give = give
    const pulled = Effect.exit(upstream)
    this.#pull = Effect.withFiber((fiber) => {
      this.#fiber = fiber
      return Effect.flatMap(pulled, (exit) => this.#pulled(fiber, exit))
    })
  }

  /** Asks for the next pull. */
  ask(): void {
    if (this.#isKept) {
      const demand = this.#demand
      this.#demand = asked
      if (demand._tag === "Awaited") demand.resume()
      return
    }
    const fiber = this.#fork(this.#pull)
    if (fiber.pollUnsafe() === undefined) fiber.addObserver((exit) => this.#ended(exit))
    else this.#ended(fiber.pollUnsafe())
  }

  #pulled(fiber: AnyFiber, exit: Exit.Exit<A, E>): Effect.Effect<void> {
    if (this.#isKept || hasChildren(fiber)) {
      this.#isKept = true
      this.#give(exit)
      return this.#isClosed ? Effect.interrupt : Effect.andThen(this.#park, this.#pull)
    }
    // the consumer may ask for the next pull at once
    this.#fiber = undefined
    this.#give(exit)
    return Effect.void
  }

  /** A fiber that has ended otherwise than after its pull was interrupted, or died. */
  #ended(exit: Exit.Exit<unknown, unknown> | undefined): void {
    // safe: the fiber fails only by an interrupt or a defect
    if (exit?._tag === "Failure") this.#give(exit as Exit.Exit<never>)
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
    this.#isClosed = true
    this.interruptWaiting()
    return Effect.asVoid(Fiber.await(fiber))
  })
}

/** The fields of a fiber of Effect that its type does not show. */
interface FiberFields {
  readonly interruptible: boolean
  readonly _children: ReadonlySet<unknown> | undefined
}

// safe: every fiber of Effect has these fields
const fieldsOf = (fiber: AnyFiber): FiberFields => fiber as unknown as FiberFields

/** Returns true if an interrupt would reach the fiber where it is. */
const isInterruptible = (fiber: AnyFiber): boolean => fieldsOf(fiber).interruptible

/** Returns true if a fiber has forked others that run and end with it. */
const hasChildren = (fiber: AnyFiber): boolean => (fieldsOf(fiber)._children?.size ?? 0) > 0
