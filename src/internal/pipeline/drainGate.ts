import type * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { errorText } from "../../base/errorText.ts"
import { OneShotLatch } from "../../base/oneShotLatch.ts"
import { PullFiber } from "./pullFiber.ts"
import type { Stage, StageCounters } from "./stageCounters.ts"
import type { StageTimer } from "./stageTimer.ts"

/** A pipeline that never waits lets the event loop turn this often. */
const longestTurnMs = 10

type Chunk<A> = Arr.NonEmptyReadonlyArray<A>

/** The way in which a drain ends a source: it interrupts the pull under way, awaits it, or runs an effect that ends the stream. */
export type OnDrain<R> = "interrupt" | "await" | Effect.Effect<unknown, unknown, R>

/** An `onDrain` that runs. */
interface Telling {
  readonly ended: OneShotLatch
  fiber: Fiber.Fiber<unknown, unknown> | undefined
}

/**
 *     Flowing ─→ Told ─→ Ending ─→ Closed
 *        └─→ Last ────────┘
 *
 * `Closed` may follow any of them.
 */
type State =
  | { readonly _tag: "Flowing" }
  /** The drain began while the stream began: what it has at once is handed over by one pull. */
  | { readonly _tag: "Last" }
  /** A drain has told the stream to end, which it does by itself. */
  | { readonly _tag: "Told"; readonly telling: Telling }
  /** Only the pull under way may still hand something over. */
  | { readonly _tag: "Ending" }
  /** Nobody takes what a pull hands over. */
  | { readonly _tag: "Closed" }

const flowing: State = { _tag: "Flowing" }
const last: State = { _tag: "Last" }
const ending: State = { _tag: "Ending" }
const closed: State = { _tag: "Closed" }

export interface GateParts<A, E, R> {
  readonly stages: StageCounters
  readonly stage: Stage
  readonly upstream: Effect.Effect<Chunk<A>, E | Cause.Done, R>
  readonly onDrain: OnDrain<never>
  /** `true` if the stream began after the drain. */
  readonly isLate: boolean
  readonly timer: StageTimer | undefined
}

/** Ends a stream when a drain is asked for, and hands on all that the stream had handed over. */
export class DrainGate<A, E, R> {
  readonly #stages: StageCounters
  readonly #stage: Stage
  readonly #upstream: Effect.Effect<Chunk<A>, E | Cause.Done, R>
  readonly #onDrain: OnDrain<never>
  readonly #timer: StageTimer | undefined
  readonly #unlisten: () => void
  #puller: PullFiber<Chunk<A>, E | Cause.Done> | undefined
  #state: State = flowing
  #pulled: Exit.Exit<Chunk<A>, E | Cause.Done> | undefined
  /** Resumes the consumer, while it waits for a pull. */
  #consumer: (() => void) | undefined
  /** The last known turn of the event loop. */
  #lastTurn: number
  /** `true` once it has emitted: elements may be on their way. */
  hasEmitted = false

  /** `onDrain` runs in the context of the fiber. */
  constructor(parts: GateParts<A, E, R>, fiber: Fiber.Fiber<unknown, unknown>) {
    const { isLate, onDrain, stage, stages, timer, upstream } = parts
    this.#stages = stages
    this.#stage = stage
    this.#upstream = upstream
    this.#onDrain = onDrain
    this.#timer = timer
    this.#lastTurn = stages.now()
    if (stages.draining.isOpen && !isLate && typeof onDrain === "string") this.#state = last
    const { context } = fiber
    this.#unlisten = stages.draining.onOpen(() => this.#drain(context))
  }

  readonly pull: Effect.Effect<Chunk<A>, E | Cause.Done, R> = Effect.withFiber((fiber) => {
    const at = this.#stages.now()
    if (at - this.#lastTurn >= longestTurnMs) {
      this.#lastTurn = Infinity
      return Effect.flatMap(Effect.yieldNow, () => {
        this.#lastTurn = this.#stages.now()
        return this.pull
      })
    }
    if (this.#state._tag === "Ending") return Cause.done()
    this.#timer?.ask()
    this.#pulled = undefined
    this.#puller ??= new PullFiber(
      this.#stages,
      // safe: the fiber that pulls was given R
      this.#upstream as Effect.Effect<Chunk<A>, E | Cause.Done>,
      fiber.context,
      (exit) => this.#give(exit)
    )
    this.#puller.ask()
    if (this.#state._tag === "Last") this.#end()
    return this.#emit(at) ?? this.#wait()
  })

  #give(exit: Exit.Exit<Chunk<A>, E | Cause.Done>): void {
    this.#pulled ??= exit
    if (this.#state._tag === "Closed" && exit._tag === "Success") this.#stage.dropped += exit.value.length
    this.#consumer?.()
  }

  #wait(): Effect.Effect<Chunk<A>, E | Cause.Done> {
    return Effect.callback((resume) => {
      this.#stages.awaitSource()
      this.#timer?.wait()
      const done = () => {
        this.#consumer = undefined
        this.#stages.stopAwaitingSource()
      }
      this.#consumer = () => {
        const at = this.#stages.now()
        const next = this.#emit(at)
        if (next === undefined) return
        done()
        this.#lastTurn = at
        resume(next)
      }
      return Effect.suspend(() => {
        done()
        return this.close
      })
    })
  }

  /** Hands on what the pull gave, if it has. The clock was read `at` this time, in this turn. */
  #emit(at: number): Effect.Effect<Chunk<A>, E | Cause.Done> | undefined {
    const exit = this.#pulled
    if (exit === undefined) return undefined
    if (exit._tag === "Success") {
      this.#stage.count += exit.value.length
      this.#stages.active(at)
      this.hasEmitted = true
      this.#timer?.handOn()
      return exit
    }
    const state = this.#state
    if (state._tag === "Ending" && Cause.hasInterruptsOnly(exit.cause)) return Cause.done()
    // a stream that has ended need not be told to
    this.#unlisten()
    return state._tag === "Told" ? Effect.andThen(state.telling.ended.await, exit) : exit
  }

  #drain(context: Context.Context<never>): void {
    if (this.#state._tag !== "Flowing") return
    if (typeof this.#onDrain === "string") return this.#end()
    const telling: Telling = { ended: new OneShotLatch(), fiber: undefined }
    // the stream may end before the fork returns
    this.#state = { _tag: "Told", telling }
    telling.fiber = Effect.runForkWith(context)(Effect.tapCause(this.#onDrain, (cause) => this.#failed(cause)))
    telling.fiber.addObserver(() => telling.ended.open())
  }

  /** The stream was not told to end: it ends as one that cannot be told. */
  #failed(cause: Cause.Cause<unknown>): Effect.Effect<void> {
    if (this.#state._tag === "Closed") return Effect.void
    this.#end()
    const error = errorText(cause)
    this.#stage.error ??= error
    return Effect.logWarning(
      `the \`onDrain\` of the source "${this.#stage.name}" failed, so it was interrupted: ${error}`
    )
  }

  #end(): void {
    this.#state = ending
    if (this.#onDrain !== "await") this.#puller?.interruptWaiting()
  }

  /** Ends the pulls once nothing takes what they hand over any longer. */
  readonly close: Effect.Effect<void> = Effect.suspend(() => {
    const state = this.#state
    this.#state = closed
    this.#unlisten()
    const pulls = this.#puller?.close ?? Effect.void
    const telling = state._tag === "Told" ? state.telling.fiber : undefined
    return telling === undefined ? pulls : Effect.andThen(Fiber.interrupt(telling), pulls)
  })
}
