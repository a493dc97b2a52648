import type * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as Pull from "effect/Pull"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { CurrentRun } from "./currentRun.ts"
import type { Holder, Stage } from "./stages.ts"

/** The elements that wait for a worker. `Task` is what a worker holds while it works on one. */
export interface Intake<A, Task> {
  add(elements: ReadonlyArray<A>): void
  /** What could be worked on now. */
  readonly available: boolean
  /** What waits, available or not. */
  readonly size: number
  take(): Task
  element(task: Task): A
  done(task: Task): void
}

/** The results that wait to be handed on. */
export interface Outlet<Task, Result, B> {
  readonly size: number
  /** Whether one more element may be worked on. */
  readonly room: boolean
  readonly ready: boolean
  begin(task: Task): void
  put(task: Task, result: Result): void
  takeAll(): Array<B>
}

export interface Parallel<A, Task, Result, B, E, R> {
  readonly kind: Stage["kind"]
  readonly name: string | undefined
  readonly concurrency: number
  readonly f: (a: A) => Effect.Effect<Result, E, R>
  readonly intake: () => Intake<A, Task>
  readonly outlet: () => Outlet<Task, Result, B>
}

/**
 * Works on up to `concurrency` elements at once. A worker is a fiber that goes from element to element, so that one
 * whose effect ends at once costs no fiber of its own; workers are only added while the others are busy.
 */
export const parallel =
  <A, Task, Result, B, E2, R2>(options: Parallel<A, Task, Result, B, E2, R2>) =>
  <E, R>(self: Stream.Stream<A, E, R>): Stream.Stream<B, E | E2, R | R2> =>
    Stream.transformPullBracket(
      self,
      (pull, _, scope) =>
        Effect.flatMap(Effect.context<R | R2>(), (context) =>
          Effect.withFiber((fiber) => {
            const stages = fiber.getRef(CurrentRun)?.stages
            const stage = options.name === undefined
              ? stages?.unnamed(options.kind)
              : stages?.stage(options.kind, options.name)
            const pool = new Pool<A, Task, Result, B, E | E2, R | R2>(
              options,
              pull,
              stage ?? { name: "", kind: options.kind, count: 0, dropped: 0 },
              Effect.runForkWith(context),
              (task) => fiber.currentDispatcher.scheduleTask(task, 0)
            )
            stages?.hold(pool)
            const close = Effect.ensuring(pool.close, Effect.sync(() => stages?.letGo(pool)))
            return Effect.as(Scope.addFinalizer(scope, close), pool.pull)
          }))
    )

class Pool<A, Task, Result, B, E, R> implements Holder {
  readonly #pullUpstream: Pull.Pull<Arr.NonEmptyReadonlyArray<A>, E, void, R>
  readonly #f: (a: A) => Effect.Effect<Result, E, R>
  readonly #concurrency: number
  readonly #intake: Intake<A, Task>
  readonly #outlet: Outlet<Task, Result, B>
  readonly stage: Stage
  readonly #fork: <A, E>(effect: Effect.Effect<A, E, R>) => Fiber.Fiber<A, E>
  readonly #fibers = new Set<Fiber.Fiber<unknown, unknown>>()
  readonly #later: (task: () => void) => void
  readonly #idle: Array<() => void> = []
  #workers = 0
  #busy = 0
  #pulling = false
  #pumping = false
  #ended: Cause.Cause<E | Cause.Done> | undefined
  #failed: Cause.Cause<E | Cause.Done> | undefined
  #closed = false
  #consumer: (() => void) | undefined
  #notified = false

  constructor(
    options: Parallel<A, Task, Result, B, E, R>,
    pull: Pull.Pull<Arr.NonEmptyReadonlyArray<A>, E, void, R>,
    stage: Stage,
    fork: <A, E>(effect: Effect.Effect<A, E, R>) => Fiber.Fiber<A, E>,
    later: (task: () => void) => void
  ) {
    this.#pullUpstream = pull
    this.#f = options.f
    this.#concurrency = options.concurrency
    this.#intake = options.intake()
    this.#outlet = options.outlet()
    this.stage = stage
    this.#fork = fork
    this.#later = later
  }

  readonly pull: Pull.Pull<Arr.NonEmptyReadonlyArray<B>, E> = Effect.suspend(() => {
    if (this.#outlet.ready && this.#failed === undefined) return this.#emit()
    this.#pump()
    return this.#next() ?? Effect.callback<Arr.NonEmptyReadonlyArray<B>, E | Cause.Done>((resume) => {
      this.#consumer = () => {
        const next = this.#next()
        if (next === undefined) return
        this.#consumer = undefined
        resume(next)
      }
      return Effect.sync(() => this.#consumer = undefined)
    })
  })

  /** What was taken in and not handed on. */
  held(): number {
    return this.#intake.size + this.#busy + this.#outlet.size
  }

  /** Begins nothing more, and interrupts all that is under way at the same time. */
  readonly close: Effect.Effect<void> = Effect.suspend(() => {
    this.#closed = true
    return this.#fibers.size === 0 ? Effect.void : Fiber.interruptAll(this.#fibers)
  })

  #next(): Pull.Pull<Arr.NonEmptyReadonlyArray<B>, E> | undefined {
    if (this.#failed !== undefined) return Effect.failCause(this.#failed)
    if (this.#outlet.ready) return this.#emit()
    return this.#ended !== undefined && this.#busy === 0 && this.#intake.size === 0
      ? Effect.failCause(this.#ended)
      : undefined
  }

  #emit(): Effect.Effect<Arr.NonEmptyReadonlyArray<B>> {
    const chunk = this.#outlet.takeAll()
    this.stage.count += chunk.length
    this.#pump()
    // safe: the outlet was ready, so there is at least one
    return Effect.succeed(chunk as unknown as Arr.NonEmptyReadonlyArray<B>)
  }

  /** Gives work to idle workers and adds workers, or pulls more, as long as there is room. */
  #pump(): void {
    if (this.#pumping) return
    this.#pumping = true
    for (let turn = 0; this.#failed === undefined && !this.#closed && this.#outlet.room; turn++) {
      if (turn === longestTurn) {
        this.#later(() => {
          this.#pump()
          this.#notify()
        })
        break
      }
      if (this.#intake.available) {
        const idle = this.#idle.pop()
        if (idle !== undefined) idle()
        else if (this.#workers < this.#concurrency) this.#addWorker()
        else break
      } else {
        if (this.#ended !== undefined || this.#pulling || this.#intake.size > maxWaiting) break
        this.#pulling = true
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
    this.#pulling = false
    if (exit._tag === "Success") this.#add(exit.value)
    else if (exit.cause.reasons.some((reason) => reason._tag === "Fail" && Cause.isDone(reason.error))) {
      this.#ended = exit.cause
    } else this.#fail(exit.cause)
  }

  #add(chunk: ReadonlyArray<A>): void {
    try {
      this.#intake.add(chunk)
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
    const intake = this.#intake
    const outlet = this.#outlet
    const f = this.#f
    let task: Task
    const work = Effect.whileLoop({
      while: () => {
        if (!intake.available || !outlet.room || this.#failed !== undefined || this.#closed) return false
        task = intake.take()
        outlet.begin(task)
        this.#busy++
        return true
      },
      body: () => f(intake.element(task)),
      step: (result: Result) => {
        this.#busy--
        intake.done(task)
        outlet.put(task, result)
        if (intake.available && (this.#idle.length > 0 || this.#workers < this.#concurrency)) this.#pump()
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
    this.#failed ??= cause
    this.#notify()
  }

  /** Tells the consumer, once for all that ends in the same turn. */
  #notify(): void {
    if (this.#notified || this.#consumer === undefined) return
    this.#notified = true
    this.#later(() => {
      this.#notified = false
      this.#consumer?.()
    })
  }
}

/** How many results may wait to be handed on, beside those under way: what a slow consumer holds back. */
export const maxReady = 256

/** How many steps may be taken before others get their turn. */
const longestTurn = 1_024

/** How many elements may wait while none of them is available. */
const maxWaiting = 4_096

const empty = Symbol("autostop/empty")

/** First in, first out. The task is the element's place in the sequence. */
export class Fifo<A> implements Intake<A, number> {
  #elements: ReadonlyArray<A> = []
  #base = 0
  #next = 0

  add(elements: ReadonlyArray<A>): void {
    this.#base = this.#next
    this.#elements = elements
  }
  get available(): boolean {
    return this.#next - this.#base < this.#elements.length
  }
  get size(): number {
    return this.#base + this.#elements.length - this.#next
  }
  take(): number {
    return this.#next++
  }
  element(task: number): A {
    // safe: `take` is called where something is available, and the chunk is not replaced before its body has run
    return this.#elements[task - this.#base] as A
  }
  done(): void {}
}

/** Hands results on in the order in which their elements came in. */
export class Ordered<B> implements Outlet<number, B, B> {
  readonly #ring: Array<B | typeof empty>
  readonly #mask: number
  readonly #window: number
  #head = 0
  #begun = 0
  size = 0

  constructor(concurrency: number) {
    // more than a ring has room for is more than anybody waits for
    this.#window = Math.min(maxReady + concurrency, 2 ** 20)
    const length = 2 ** Math.ceil(Math.log2(this.#window))
    this.#ring = Array.from({ length }, () => empty)
    this.#mask = length - 1
  }
  get room(): boolean {
    return this.#begun - this.#head < this.#window
  }
  get ready(): boolean {
    return this.#ring[this.#head & this.#mask] !== empty
  }
  begin(): void {
    this.#begun++
  }
  put(task: number, result: B): void {
    this.#ring[task & this.#mask] = result
    this.size++
  }
  takeAll(): Array<B> {
    const chunk: Array<B> = []
    for (;;) {
      const at = this.#head & this.#mask
      const result = this.#ring[at]
      if (result === empty) break
      this.#ring[at] = empty
      this.#head++
      // safe: the ring holds results and `empty` only
      chunk.push(result as B)
    }
    this.size -= chunk.length
    return chunk
  }
}

/** Hands results on as they come; a result may stand for any number of elements. */
export class AsTheyCome<Task, Result, B> implements Outlet<Task, Result, B> {
  #chunk: Array<B> = []
  readonly #add: (chunk: Array<B>, result: Result) => void

  constructor(add: (chunk: Array<B>, result: Result) => void) {
    this.#add = add
  }
  get size(): number {
    return this.#chunk.length
  }
  get room(): boolean {
    return this.#chunk.length < maxReady
  }
  get ready(): boolean {
    return this.#chunk.length > 0
  }
  begin(): void {}
  put(_: Task, result: Result): void {
    this.#add(this.#chunk, result)
  }
  takeAll(): Array<B> {
    const chunk = this.#chunk
    this.#chunk = []
    return chunk
  }
}

interface Lane<A> {
  readonly key: unknown
  readonly waiting: Array<A>
  next: number
}

/** One lane for each key that has elements: a lane is worked on by one worker at a time. */
export class Lanes<A> implements Intake<A, Lane<A>> {
  readonly #lanes = new Map<unknown, Lane<A>>()
  #runnable: Array<Lane<A>> = []
  #at = 0
  readonly #key: (a: A) => unknown
  size = 0

  constructor(key: (a: A) => unknown) {
    this.#key = key
  }
  add(elements: ReadonlyArray<A>): void {
    for (const element of elements) {
      const key = this.#key(element)
      const lane = this.#lanes.get(key)
      if (lane === undefined) {
        const lane = { key, waiting: [element], next: 0 }
        this.#lanes.set(key, lane)
        this.#runnable.push(lane)
      } else {
        lane.waiting.push(element)
      }
    }
    this.size += elements.length
  }
  get available(): boolean {
    return this.#at < this.#runnable.length
  }
  take(): Lane<A> {
    // safe: `take` is called where something is available
    const lane = this.#runnable[this.#at++] as Lane<A>
    if (this.#at === this.#runnable.length || this.#at === 4_096) {
      this.#runnable = this.#runnable.slice(this.#at)
      this.#at = 0
    }
    this.size--
    return lane
  }
  element(lane: Lane<A>): A {
    return lane.waiting[lane.next++] as A // safe: a runnable lane has at least one
  }
  done(lane: Lane<A>): void {
    if (lane.next === lane.waiting.length) {
      this.#lanes.delete(lane.key)
      return
    }
    if (lane.next >= 1_024) {
      lane.waiting.splice(0, lane.next)
      lane.next = 0
    }
    this.#runnable.push(lane)
  }
}

/** First in, first out, to which results may add. */
export class Loop<A> implements Intake<A, A> {
  #waiting: Array<A> = []
  #at = 0

  add(elements: ReadonlyArray<A>): void {
    for (const element of elements) this.#waiting.push(element)
  }
  get available(): boolean {
    return this.#at < this.#waiting.length
  }
  get size(): number {
    return this.#waiting.length - this.#at
  }
  take(): A {
    const element = this.#waiting[this.#at++] as A // safe: `take` is called where something is available
    if (this.#at >= 4_096) {
      this.#waiting = this.#waiting.slice(this.#at)
      this.#at = 0
    }
    return element
  }
  element(element: A): A {
    return element
  }
  done(): void {}
}
