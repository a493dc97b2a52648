import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { Notice } from "../internal/notice.ts"
import { type Contract, encodeFailure, type Method } from "./contract.ts"
import { FrameWriter, Reply, Request } from "./frames.ts"
import { type Handlers, invoke, invokeStream } from "./handlers.ts"

/** How many chunks of a stream may be on their way. */
const window = 8

interface Running {
  fiber: Fiber.Fiber<unknown, unknown> | undefined
  /** How many chunks may still be sent, and who waits for more. */
  credit: number
  waiting: (() => void) | undefined
}

/** The calls that a host has been sent: runs each on a fiber of its own, and sends back what comes of it. */
export class Serving {
  readonly #contract: Contract
  readonly #handlers: Handlers
  readonly #fork: (effect: Effect.Effect<unknown, unknown>) => Fiber.Fiber<unknown, unknown>
  readonly #running = new Map<number, Running>()
  readonly #writer: FrameWriter
  #closed = false
  #idle: Notice | undefined

  constructor(
    contract: Contract,
    handlers: Handlers,
    writer: FrameWriter,
    context: Context.Context<never>
  ) {
    this.#contract = contract
    this.#handlers = handlers
    this.#writer = writer
    this.#fork = Effect.runForkWith(context)
  }

  receive(operation: number, id: number, method: number, body: Uint8Array): void {
    if (operation === Request.call) this.#call(id, this.#contract.methods[method], body)
    else if (operation === Request.interrupt) this.#running.get(id)?.fiber?.interruptUnsafe()
    else if (operation === Request.ack) this.#acknowledge(id)
  }

  /** Takes no more calls, interrupts those that run and waits for them. */
  readonly close: Effect.Effect<void> = Effect.suspend(() => {
    this.#closed = true
    for (const { fiber } of this.#running.values()) fiber?.interruptUnsafe()
    if (this.#running.size === 0) return Effect.void
    const idle = this.#idle ??= new Notice()
    return idle.await
  })

  #call(id: number, method: Method | undefined, body: Uint8Array): void {
    if (method === undefined || this.#closed) return
    const running: Running = { fiber: undefined, credit: window, waiting: undefined }
    this.#running.set(id, running)
    const fiber = this.#fork(Effect.suspend(() => this.#answer(id, method, running, method.payload.decode(body))))
    running.fiber = fiber
    fiber.addObserver((exit) => this.#ended(id, method, exit))
  }

  #answer(id: number, method: Method, running: Running, payload: unknown): Effect.Effect<unknown, unknown> {
    if (!method.isStream) return invoke(this.#handlers, method, payload)
    return Stream.runForEachArray(invokeStream(this.#handlers, method, payload), (chunk) => {
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
    if (exit._tag === "Failure") this.#writer.write(Reply.failure, id, 0, encodeFailure(method, exit.cause))
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
