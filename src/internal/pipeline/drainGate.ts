import type * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type { Stage, StageCounters } from "./stageCounters.ts"

/** A pipeline that never waits lets the event loop turn this often. */
const longestTurnMs = 10

type Chunk<A> = Arr.NonEmptyReadonlyArray<A>

/** Nobody asked for the next pull; it was asked for; or the puller waits until it is. */
type Demand =
  | { readonly _tag: "None" }
  | { readonly _tag: "Asked" }
  | { readonly _tag: "Awaited"; readonly resume: () => void }

const none: Demand = { _tag: "None" }
const asked: Demand = { _tag: "Asked" }

/**
 * Ends a stream when a drain is asked for. The stream is pulled on a fiber of its own, so that a drain can interrupt a
 * pull that waits without interrupting the consumer.
 */
export class DrainGate<A, E, R> {
  readonly #stages: StageCounters
  readonly #stage: Stage
  readonly #upstream: Effect.Effect<Chunk<A>, E | Cause.Done, R>
  #puller: Fiber.Fiber<unknown, unknown> | undefined
  /** The demand for the next pull: after each pull the puller waits for it. */
  #demand: Demand = none
  #pulled: Exit.Exit<Chunk<A>, E | Cause.Done> | undefined
  #consumer: (() => void) | undefined
  /** When the event loop is known to have turned last. */
  #lastTurn: number

  constructor(stages: StageCounters, stage: Stage, upstream: Effect.Effect<Chunk<A>, E | Cause.Done, R>) {
    this.#stages = stages
    this.#stage = stage
    this.#upstream = upstream
    this.#lastTurn = stages.now()
  }

  readonly pull: Effect.Effect<Chunk<A>, E | Cause.Done, R> = Effect.withFiber((fiber) => {
    if (this.#stages.now() - this.#lastTurn >= longestTurnMs) {
      this.#lastTurn = Infinity
      return Effect.flatMap(Effect.yieldNow, () => {
        this.#lastTurn = this.#stages.now()
        return this.pull
      })
    }
    if (this.#stages.draining.isOpen) return Cause.done()
    this.#pulled = undefined
    this.#ask(fiber)
    return this.#emit() ?? this.#wait()
  })

  #ask(fiber: Fiber.Fiber<unknown, unknown>): void {
    if (this.#puller !== undefined) {
      const demand = this.#demand
      this.#demand = asked
      if (demand._tag === "Awaited") demand.resume()
      return
    }
    // safe: the fiber that pulls was given R
    const upstream = this.#upstream as Effect.Effect<Chunk<A>, E | Cause.Done>
    const turn = Effect.flatMap(Effect.exit(upstream), (exit) => {
      this.#give(exit)
      return this.#park
    })
    const puller = Effect.runForkWith(fiber.context)(Effect.forever(turn, { disableYield: true }))
    this.#puller = puller
    puller.addObserver((exit) => this.#give(exit))
  }

  readonly #park: Effect.Effect<void> = Effect.callback((resume) => {
    const go = () => {
      this.#demand = none
      resume(Effect.void)
    }
    if (this.#demand._tag === "Asked") go()
    else this.#demand = { _tag: "Awaited", resume: go }
  })

  #give(exit: Exit.Exit<Chunk<A>, E | Cause.Done>): void {
    this.#pulled ??= exit
    this.#consumer?.()
  }

  #wait(): Effect.Effect<Chunk<A>, E | Cause.Done> {
    return Effect.callback((resume) => {
      this.#stages.awaitSource()
      const unlisten = this.#stages.draining.onOpen(() => {
        // what is read in this very turn is still emitted
        this.#puller?.currentDispatcher.scheduleTask(() => this.#puller?.interruptUnsafe(), 0)
      })
      const done = () => {
        unlisten()
        this.#consumer = undefined
        this.#stages.stopAwaitingSource()
      }
      this.#consumer = () => {
        const next = this.#emit()
        if (next === undefined) return
        done()
        this.#lastTurn = this.#stages.now()
        resume(next)
      }
      return Effect.suspend(() => {
        done()
        return this.close
      })
    })
  }

  #emit(): Effect.Effect<Chunk<A>, E | Cause.Done> | undefined {
    const exit = this.#pulled
    if (exit === undefined) return undefined
    if (exit._tag === "Success") {
      this.#stage.count += exit.value.length
      this.#stages.active()
      return exit
    }
    return this.#stages.draining.isOpen && Cause.hasInterruptsOnly(exit.cause) ? Cause.done() : exit
  }

  /** Ends the puller once nothing pulls the stream any longer. */
  readonly close: Effect.Effect<void> = Effect.suspend(() =>
    this.#puller === undefined ? Effect.void : Fiber.interrupt(this.#puller)
  )
}
