import type * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Channel from "effect/Channel"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as Pull from "effect/Pull"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { stagesHere, stagesOf } from "./currentStages.ts"
import type { InputQueue } from "./inputQueues.ts"
import { Opening } from "./opening.ts"
import type { OutputBuffer } from "./outputBuffers.ts"
import { attempt } from "../../base/valueText.ts"
import { type Holder, type Stage, stageOf } from "./stageCounters.ts"
import type { StageTimer } from "./stageTimer.ts"

export interface Parallel<A, Task, Result, B, E, R> {
  readonly kind: Stage["kind"]
  readonly name: string | undefined
  readonly concurrency: number
  readonly f: (a: A) => Effect.Effect<Result, E, R>
  readonly input: () => InputQueue<A, Task>
  readonly output: () => OutputBuffer<Task, Result, B>
}

/**
 * Works on up to `concurrency` elements at once. A worker is a fiber that goes from element to element, so that one
 * whose effect ends at once costs no fiber of its own; workers are only added while the others are busy.
 */
export const parallel =
  <A, Task, Result, B, E2, R2>(options: Parallel<A, Task, Result, B, E2, R2>) =>
  <E, R>(self: Stream.Stream<A, E, R>): Stream.Stream<B, E | E2, R | R2> => {
    const made = stagesHere()
    return Stream.fromChannel(
      Channel.fromTransformBracket((_: unknown, around, scope) =>
        Effect.flatMap(Effect.context<R | R2>(), (context) =>
          Effect.withFiber((fiber) => {
            const stages = stagesOf(fiber, made)
            const opening = stages === undefined ? undefined : new Opening(stages, around)
            return Effect.flatMap(opening?.open(self) ?? Channel.toPullScoped(self.channel, around), (pull) => {
              const stage = stageOf(stages, options.kind, options.name)
              opening?.become(stage)
              const timer = opening?.measure({ isParallel: true })
              const pool = new WorkerPool<A, Task, Result, B, E | E2, R | R2>(
                options,
                pull,
                { stage, timer },
                Effect.runForkWith(context),
                (task) => fiber.currentDispatcher.scheduleTask(task, 0)
              )
              stages?.addHolder(pool)
              const close = Effect.ensuring(pool.close, Effect.sync(() => stages?.removeHolder(pool)))
              const closing = Scope.addFinalizer(scope, close)
              return Effect.andThen(closing, opening?.measured(pool.pull) ?? Effect.succeed(pool.pull))
            })
          }))
      )
    )
  }

/** The number of steps after which other work gets a turn. */
const longestTurn = 1_024

/** The number of elements that may wait while none of them can be worked on. */
const maxWaiting = 4_096

/** The states of a pool. Only one that is open begins anything. */
type PoolState<E> =
  | { readonly _tag: "Open" }
  | { readonly _tag: "Failed"; readonly cause: Cause.Cause<E | Cause.Done> }
  | { readonly _tag: "Closed" }
const open = { _tag: "Open" } as const
const closed = { _tag: "Closed" } as const

/** The source of a pool, which is asked for more, at most once at a time, until there is no more. */
type Upstream<E> =
  | { readonly _tag: "Resting" }
  | { readonly _tag: "Pulling" }
  | { readonly _tag: "Ended"; readonly cause: Cause.Cause<E | Cause.Done> }
const resting = { _tag: "Resting" } as const
const pulling = { _tag: "Pulling" } as const

class WorkerPool<A, Task, Result, B, E, R> implements Holder {
  readonly #pullUpstream: Pull.Pull<Arr.NonEmptyReadonlyArray<A>, E, void, R>
  readonly #f: (a: A) => Effect.Effect<Result, E, R>
  readonly #concurrency: number
  readonly #input: InputQueue<A, Task>
  readonly #output: OutputBuffer<Task, Result, B>
  readonly stage: Stage
  readonly #timer: StageTimer | undefined
  readonly #fork: <A, E>(effect: Effect.Effect<A, E, R>) => Fiber.Fiber<A, E>
  readonly #fibers = new Set<Fiber.Fiber<unknown, unknown>>()
  readonly #later: (task: () => void) => void
  readonly #idle: Array<() => void> = []
  #workers = 0
  #busy = 0
  #state: PoolState<E> = open
  #upstream: Upstream<E> = resting
  #pumping = false
  #consumer: (() => void) | undefined
  #notified = false

  constructor(
    options: Parallel<A, Task, Result, B, E, R>,
    pull: Pull.Pull<Arr.NonEmptyReadonlyArray<A>, E, void, R>,
    { stage, timer }: { readonly stage: Stage; readonly timer: StageTimer | undefined },
    fork: <A, E>(effect: Effect.Effect<A, E, R>) => Fiber.Fiber<A, E>,
    later: (task: () => void) => void
  ) {
    this.#pullUpstream = pull
    this.#f = options.f
    this.#concurrency = options.concurrency
    this.#input = options.input()
    this.#output = options.output()
    this.stage = stage
    this.#timer = timer
    this.#fork = fork
    this.#later = later
  }

  readonly pull: Pull.Pull<Arr.NonEmptyReadonlyArray<B>, E> = Effect.suspend(() => {
    if (this.#output.ready && this.#state._tag !== "Failed") return this.#emit()
    this.#timer?.askParallel()
    this.#pump()
    const ready = this.#next()
    if (ready !== undefined) {
      this.#timer?.handOnParallel()
      return ready
    }
    return Effect.callback<Arr.NonEmptyReadonlyArray<B>, E | Cause.Done>((resume) => {
      const done = () => {
        this.#consumer = undefined
        this.#timer?.handOnParallel()
      }
      this.#consumer = () => {
        const next = this.#next()
        if (next === undefined) return
        done()
        resume(next)
      }
      return Effect.sync(done)
    })
  })

  /** Returns the number of elements that were taken in and not handed on. */
  held(): number {
    return this.#input.size + this.#busy + this.#output.size
  }

  /** Returns the number of elements that are worked on. */
  inFlight(): number {
    return this.#busy
  }

  /** Notes what the pool does: without room nothing may begin, whatever is under way. */
  #noteActivity(): void {
    if (this.#timer === undefined) return
    const isIdle = this.#busy === 0 && this.#input.size === 0
    this.#timer.become(!this.#output.room ? "backpressured" : isIdle ? "idle" : "busy")
  }

  /** Begins nothing more, and interrupts all workers at once. */
  readonly close: Effect.Effect<void> = Effect.suspend(() => {
    if (this.#state === open) this.#state = closed
    return this.#fibers.size === 0 ? Effect.void : Fiber.interruptAll(this.#fibers)
  })

  #next(): Pull.Pull<Arr.NonEmptyReadonlyArray<B>, E> | undefined {
    if (this.#state._tag === "Failed") return Effect.failCause(this.#state.cause)
    if (this.#output.ready) return this.#emit()
    return this.#upstream._tag === "Ended" && this.#busy === 0 && this.#input.size === 0
      ? Effect.failCause(this.#upstream.cause)
      : undefined
  }

  #emit(): Effect.Effect<Arr.NonEmptyReadonlyArray<B>> {
    const chunk = this.#output.takeAll()
    this.stage.count += chunk.length
    this.#noteActivity()
    this.#pump()
    // safe: the output was ready, so there is at least one result
    return Effect.succeed(chunk as unknown as Arr.NonEmptyReadonlyArray<B>)
  }

  /** Gives work to idle workers, adds workers, or pulls more elements, as long as there is room. */
  #pump(): void {
    if (this.#pumping) return
    this.#pumping = true
    for (let turn = 0; this.#state === open && this.#output.room; turn++) {
      if (turn === longestTurn) {
        this.#later(() => {
          this.#pump()
          this.#notify()
        })
        break
      }
      if (this.#input.available) {
        const idle = this.#idle.pop()
        if (idle !== undefined) idle()
        else if (this.#workers < this.#concurrency) this.#addWorker()
        else break
      } else {
        if (this.#upstream !== resting || this.#input.size > maxWaiting) break
        this.#upstream = pulling
        const fiber = this.#fork(this.#pullUpstream)
        const exit = fiber.pollUnsafe()
        if (exit === undefined) {
          this.#track(fiber, (exit) => {
            this.#pulled(exit)
            this.#pump()
            this.#notify()
          })
          break
        }
        this.#pulled(exit)
      }
    }
    this.#pumping = false
  }

  #pulled(exit: Exit.Exit<Arr.NonEmptyReadonlyArray<A>, E | Cause.Done>): void {
    this.#upstream = resting
    if (exit._tag === "Success") this.#add(exit.value)
    else if (exit.cause.reasons.some((reason) => reason._tag === "Fail" && isDone(reason.error))) {
      this.#upstream = { _tag: "Ended", cause: exit.cause }
    } else this.#fail(exit.cause)
  }

  #add(chunk: ReadonlyArray<A>): void {
    try {
      this.#input.add(chunk)
      this.#noteActivity()
    } catch (defect) {
      this.#fail(Cause.die(defect))
    }
  }

  #addWorker(): void {
    this.#workers++
    this.#track(this.#fork(this.#worker()), (exit) => {
      if (exit._tag === "Failure") this.#fail(exit.cause)
    })
  }

  #track<A, E>(fiber: Fiber.Fiber<A, E>, observe: (exit: Exit.Exit<A, E>) => void): void {
    this.#fibers.add(fiber)
    fiber.addObserver((exit) => {
      this.#fibers.delete(fiber)
      observe(exit)
    })
  }

  #worker(): Effect.Effect<never, E, R> {
    const input = this.#input
    const output = this.#output
    const f = this.#f
    const timer = this.#timer
    let task: Task
    let begun = Number.NaN
    const work = Effect.whileLoop({
      while: () => {
        if (!input.available || !output.room || this.#state !== open) return false
        task = input.take()
        output.begin(task)
        this.#busy++
        if (timer !== undefined) {
          this.#noteActivity()
          begun = timer.begin()
        }
        return true
      },
      body: () => f(input.element(task)),
      step: (result: Result) => {
        this.#busy--
        input.done(task)
        output.put(task, result)
        if (timer !== undefined) {
          timer.end(begun)
          this.#noteActivity()
        }
        if (input.available && (this.#idle.length > 0 || this.#workers < this.#concurrency)) this.#pump()
        if (this.#consumer !== undefined) this.#notify()
      }
    })
    const park = Effect.callback<void>((resume) => {
      this.#idle.push(() => resume(Effect.void))
      if (this.#consumer !== undefined) this.#notify()
      this.#pump()
    })
    return Effect.forever(Effect.andThen(work, park), { disableYield: true })
  }

  #fail(cause: Cause.Cause<E | Cause.Done>): void {
    if (this.#state === open) this.#state = { _tag: "Failed", cause }
    this.#notify()
  }

  /** Resumes the consumer, once for all results of the same turn. */
  #notify(): void {
    if (this.#notified || this.#consumer === undefined) return
    this.#notified = true
    this.#later(() => {
      this.#notified = false
      this.#consumer?.()
    })
  }
}

/** Returns true for the end of a stream. An error of a stream is any value. */
const isDone = (error: unknown): boolean => attempt(() => Cause.isDone(error)) === true
