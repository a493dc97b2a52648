import type * as Arr from "effect/Array"
import * as Channel from "effect/Channel"
import * as Effect from "effect/Effect"
import type * as Pull from "effect/Pull"
import * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type { Stage, StageCounters } from "./stageCounters.ts"
import { StageTimer } from "./stageTimer.ts"
import { StageTime } from "./stageTimes.ts"

/** The openings by the scopes of what is before them. */
const openings = new WeakMap<Scope.Scope, Opening>()

/**
 * A stage whose stream is opened. What is before the stage is opened in a scope of its own, so that each stage there finds
 * the one that takes what it emits: also if `concat`, `flatMap`, `retry` or the like open a stream only when they need it, and
 * without anything that is done for an element. A stream that is run by itself has no scope around it, and no such stage.
 */
export class Opening {
  readonly #stages: StageCounters
  readonly #scope: Scope.Scope
  readonly #downstream: Opening | undefined
  #stage: Stage | undefined
  /** The timer of the stage, if its times are measured. */
  timer: StageTimer | undefined
  /** The stages that were opened before this one had its counter. */
  readonly #early: Array<Stage | string> = []

  /** `around` is the scope in which the stage itself is opened. */
  constructor(stages: StageCounters, around: Scope.Scope) {
    this.#stages = stages
    this.#downstream = openingAround(around)
    this.#scope = Scope.forkUnsafe(around, around.strategy)
    openings.set(this.#scope, this)
  }

  /** Opens what is before the stage. */
  open<A, E, R>(
    { channel }: Stream.Stream<A, E, R>
  ): Effect.Effect<Pull.Pull<Arr.NonEmptyReadonlyArray<A>, E, void, R>, never, R> {
    return Channel.toPullScoped(channel, this.#scope)
  }

  /** The stage has its counter. */
  become(stage: Stage): void {
    this.#stage = stage
    for (const before of this.#early.splice(0)) this.takeFrom(before)
    this.#downstream?.takeFrom(stage)
  }

  /** Begins to measure the times of the stage, until its stream ends. Returns nothing if nobody wants to know them. */
  measure(options: { readonly isParallel: boolean }): StageTimer | undefined {
    const { times } = this.#stages
    const stage = this.#stage
    if (times === undefined || stage === undefined) return undefined
    const time = stage.time ??= new StageTime(times.now())
    return this.timer = new StageTimer(times, { ...options, time, downstream: () => this.#downstream?.timer })
  }

  /** Returns the pull of the stage, whose times are no longer measured once its stream has ended. */
  measured<A>(pull: A): Effect.Effect<A> {
    const timer = this.timer
    if (timer === undefined) return Effect.succeed(pull)
    return Effect.as(Scope.addFinalizer(this.#scope, Effect.sync(() => timer.close())), pull)
  }

  /** Returns the pull of a stage that hands on what it is asked for, with its times measured if somebody wants to know them. */
  timed<A, E, R>(pull: Effect.Effect<A, E, R>): Effect.Effect<Effect.Effect<A, E, R>> {
    const timer = this.measure({ isParallel: false })
    if (timer === undefined) return Effect.succeed(pull)
    const handingOn = Effect.map(pull, (chunk) => {
      timer.handOn()
      return chunk
    })
    return this.measured(Effect.suspend(() => {
      timer.ask()
      return handingOn
    }))
  }

  /** The stage takes what another one emits, which may be known by its name alone. */
  takeFrom(stage: Stage | string): void {
    if (this.#stage === undefined) this.#early.push(stage)
    else this.#stage.upstream.add(stage)
  }
}

/** Returns the stage that takes what is emitted by a stream that is opened in this scope. */
export const openingAround = (scope: Scope.Scope): Opening | undefined => {
  for (let at: Scope.Scope | undefined = scope; at !== undefined; at = at.parent) {
    const opening = openings.get(at)
    if (opening !== undefined) return opening
  }
  return undefined
}

/** Returns the scope that Effect opened a stream in: the nearest one that no stage has added. */
export const effectScope = (scope: Scope.Scope): Scope.Scope => {
  let at = scope
  while (at.parent !== undefined && openings.has(at)) at = at.parent
  return at
}
