import type * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type { Stage, Stages } from "./stageCounters.ts"

/** A pipeline that never waits gives the event loop a turn that often. */
const longestTurnMs = 10

type Chunk<A> = Arr.NonEmptyReadonlyArray<A>

/**
 * Ends a stream when a drain is asked for. The stream is pulled on a fiber of its own, so that a drain can interrupt a
 * pull that waits, and not whoever waits for it.
 */
export class Gate<A, E, R> {
  readonly #stages: Stages
  readonly #stage: Stage
  readonly #upstream: Effect.Effect<Chunk<A>, E | Cause.Done, R>
  #puller: Fiber.Fiber<unknown, unknown> | undefined
  /** What the puller waits at once it has handed over, or that it need not wait. */
  #demand: (() => void) | undefined
  #wanted = false
  #pulled: Exit.Exit<Chunk<A>, E | Cause.Done> | undefined
  #consumer: (() => void) | undefined
  /** When the event loop last had a turn that is known of. */
  #turn: number

  constructor(stages: Stages, stage: Stage, upstream: Effect.Effect<Chunk<A>, E | Cause.Done, R>) {
    this.#stages = stages
    this.#stage = stage
    this.#upstream = upstream
    this.#turn = stages.now()
  }

  readonly pull: Effect.Effect<Chunk<A>, E | Cause.Done, R> = Effect.withFiber((fiber) => {
    if (this.#stages.now() - this.#turn >= longestTurnMs) {
      this.#turn = Infinity
      return Effect.flatMap(Effect.yieldNow, () => {
        this.#turn = this.#stages.now()
        return this.pull
      })
    }
    if (this.#stages.drain.isOpen) return Cause.done()
    this.#pulled = undefined
    this.#ask(fiber)
    return this.#emit() ?? this.#wait()
  })

  #ask(fiber: Fiber.Fiber<unknown, unknown>): void {
    if (this.#puller !== undefined) {
      this.#wanted = true
      this.#demand?.()
      return
    }
    // safe: R is what the fiber that pulls was given
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
      this.#demand = undefined
      this.#wanted = false
      resume(Effect.void)
    }
    if (this.#wanted) go()
    else this.#demand = go
  })

  #give(exit: Exit.Exit<Chunk<A>, E | Cause.Done>): void {
    this.#pulled ??= exit
    this.#consumer?.()
  }

  #wait(): Effect.Effect<Chunk<A>, E | Cause.Done> {
    return Effect.callback((resume) => {
      const { drain } = this.#stages
      this.#stages.waiting++
      this.#stages.active()
      const undrain = drain.onOpen(() => {
        // what is being read in this very turn is emitted still
        this.#puller?.currentDispatcher.scheduleTask(() => this.#puller?.interruptUnsafe(), 0)
      })
      const done = () => {
        undrain()
        this.#consumer = undefined
        this.#stages.waiting--
      }
      this.#consumer = () => {
        const next = this.#emit()
        if (next === undefined) return
        done()
        this.#turn = this.#stages.now()
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
    return this.#stages.drain.isOpen && Cause.hasInterruptsOnly(exit.cause) ? Cause.done() : exit
  }

  /** For when nothing pulls it any longer. */
  readonly close: Effect.Effect<void> = Effect.suspend(() =>
    this.#puller === undefined ? Effect.void : Fiber.interrupt(this.#puller)
  )
}
