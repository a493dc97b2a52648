import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { OneShotLatch } from "../../base/oneShotLatch.ts"
import { type Contract, encodeFailure, type Method } from "../contract.ts"
import { FrameWriter, Reply, Request } from "../wire/frames.ts"
import { type Handler, handlerOf, type Handlers } from "../handlers.ts"

/** How many chunks of a stream may be on their way. */
const window = 8

interface Served {
  readonly method: Method
  readonly handler: Handler
  /** Starts a fiber with the context of its handler. */
  readonly fork: (effect: Effect.Effect<unknown, unknown>) => Fiber.Fiber<unknown, unknown>
}

interface Running {
  fiber: Fiber.Fiber<unknown, unknown> | undefined
  /** How many chunks may still be sent, and who waits for more. */
  credit: number
  waiting: (() => void) | undefined
}

/** The calls that a host has been sent: runs each on a fiber of its own, and sends back what comes of it. */
export class Serving {
  readonly #served: ReadonlyArray<Served>
  readonly #running = new Map<number, Running>()
  readonly #writer: FrameWriter
  #closed = false
  #idle: OneShotLatch | undefined

  constructor(
    contract: Contract,
    handlers: Handlers,
    writer: FrameWriter,
    context: Context.Context<never>
  ) {
    this.#writer = writer
    this.#served = contract.methods.map((method) => {
      const handler = handlerOf(handlers, method)
      return { method, handler, fork: Effect.runForkWith(Context.merge(context, handler.context)) }
    })
  }

  receive(operation: number, id: number, method: number, body: Uint8Array): void {
    if (operation === Request.call) this.#call(id, this.#served[method], body)
    else if (operation === Request.interrupt) this.#running.get(id)?.fiber?.interruptUnsafe()
    else if (operation === Request.ack) this.#acknowledge(id)
  }

  /** Takes no more calls, interrupts those that run and waits for them. */
  readonly close: Effect.Effect<void> = Effect.suspend(() => {
    this.#closed = true
    for (const { fiber } of this.#running.values()) fiber?.interruptUnsafe()
    if (this.#running.size === 0) return Effect.void
    const idle = this.#idle ??= new OneShotLatch()
    return idle.await
  })

  #call(id: number, served: Served | undefined, body: Uint8Array): void {
    if (served === undefined || this.#closed) return
    const { fork, method } = served
    const running: Running = { fiber: undefined, credit: window, waiting: undefined }
    this.#running.set(id, running)
    const fiber = fork(Effect.suspend(() => this.#answer(id, served, running, method.payload.decode(body))))
    running.fiber = fiber
    fiber.addObserver((exit) => this.#ended(id, method, exit))
  }

  #answer(
    id: number,
    { handler, method }: Served,
    running: Running,
    payload: unknown
  ): Effect.Effect<unknown, unknown> {
    if (!method.isStream) return handler.effect(payload)
    return Stream.runForEachArray(handler.stream(payload), (chunk) => {
      this.#writer.write(Reply.chunk, id, 0, method.success.encode(chunk))
      running.credit--
      return running.credit > 0 ? Effect.void : this.#awaitCredit(running)
    })
  }

  #awaitCredit(running: Running): Effect.Effect<void> {
    return Effect.callback((resume) => {
      if (running.credit > 0) return resume(Effect.void)
      running.waiting = () => resume(Effect.void)
      return Effect.sync(() => void (running.waiting = undefined))
    })
  }

  #acknowledge(id: number): void {
    const running = this.#running.get(id)
    if (running === undefined) return
    running.credit++
    const { waiting } = running
    running.waiting = undefined
    waiting?.()
  }

  #ended(id: number, method: Method, exit: Exit.Exit<unknown, unknown>): void {
    this.#running.delete(id)
    if (exit._tag === "Failure" && this.#closed && Cause.hasInterruptsOnly(exit.cause)) {
      // nobody asked for that: the caller learns what became of the call from the end of the host
    } else if (exit._tag === "Failure") this.#writer.write(Reply.failure, id, 0, encodeFailure(method, exit.cause))
    else if (method.isStream) this.#writer.write(Reply.end, id)
    else this.#succeed(id, method, exit.value)
    if (this.#running.size === 0) this.#idle?.open()
  }

  #succeed(id: number, method: Method, value: unknown): void {
    let body: Uint8Array
    try {
      body = method.success.encode(value)
    } catch (error) {
      return this.#writer.write(Reply.failure, id, 0, encodeFailure(method, Cause.die(error)))
    }
    this.#writer.write(Reply.value, id, 0, body)
  }
}
