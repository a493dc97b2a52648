import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { OneShotLatch } from "../../base/oneShotLatch.ts"
import { isInstance } from "../../base/valueText.ts"
import { ExitCalled } from "../../process/selfExit.ts"
import { type Contract, encodeFailure, type Method } from "../contract.ts"
import { type Handler, handlerOf, type Handlers } from "../handlers.ts"
import { type CallTrace, readTrace } from "../wire/callTrace.ts"
import { type FrameWriter, Reply, Request } from "../wire/frames.ts"
import { ChunkWindow } from "./chunkWindow.ts"
import type { MeasuredCalls } from "./measuredCalls.ts"

/** A method and its handler. */
interface Served {
  readonly method: Method
  readonly handler: Handler
  /** Starts a fiber with the context of the handler, and what is added to it. */
  readonly fork: (
    effect: Effect.Effect<unknown, unknown>,
    added: Context.Context<never> | undefined
  ) => Fiber.Fiber<unknown, unknown>
}

/** A call whose handler has not ended. */
interface Running {
  /** Set once the fiber has been started. */
  fiber: Fiber.Fiber<unknown, unknown> | undefined
  /** Only for a method whose result is a stream. */
  readonly window: ChunkWindow | undefined
}

/** Runs the calls that were sent to a host, each on a fiber of its own, and sends back their results. */
export class CallServer {
  readonly #served: ReadonlyArray<Served>
  readonly #running = new Map<number, Running>()
  readonly #writer: FrameWriter
  readonly #measured: MeasuredCalls | undefined
  /** Set once no more calls are taken; opens when none is running. */
  #closing: OneShotLatch | undefined

  constructor(
    contract: Contract,
    handlers: Handlers,
    writer: FrameWriter,
    context: Context.Context<never>,
    measured?: MeasuredCalls
  ) {
    this.#writer = writer
    this.#measured = measured
    this.#served = contract.methods.map((method) => {
      const handler = handlerOf(handlers, method)
      const own = Context.merge(context, handler.context)
      const fork = Effect.runForkWith(own)
      return {
        method,
        handler,
        fork: (effect, added) =>
          added === undefined ? fork(effect) : Effect.runForkWith(Context.merge(own, added))(effect)
      }
    })
  }

  receive(operation: number, id: number, method: number, body: Uint8Array): void {
    if (operation === Request.call) this.#call(id, this.#served[method], body)
    else if (operation === Request.tracedCall) {
      const { payload, trace } = readTrace(body)
      this.#call(id, this.#served[method], payload, trace)
    } else if (operation === Request.interrupt) this.#running.get(id)?.fiber?.interruptUnsafe()
    else if (operation === Request.ack) this.#running.get(id)?.window?.acknowledge()
  }

  /** Takes no more calls, interrupts those that run and waits for their end. */
  readonly close: Effect.Effect<void> = Effect.suspend(() => {
    const closing = this.#closing ??= new OneShotLatch()
    for (const { fiber } of this.#running.values()) fiber?.interruptUnsafe()
    if (this.#running.size === 0) closing.open()
    return closing.await
  })

  #call(id: number, served: Served | undefined, body: Uint8Array, trace?: CallTrace): void {
    if (served === undefined || this.#closing !== undefined) return
    const { fork, method } = served
    const window = method.isStream ? new ChunkWindow() : undefined
    const running: Running = { fiber: undefined, window }
    this.#running.set(id, running)
    const measured = this.#measured?.begin(method, trace)
    const answer = Effect.suspend(() => this.#answer(id, served, window, method.payload.decode(body)))
    const fiber = fork(answer, measured?.context)
    running.fiber = fiber
    fiber.addObserver((exit) => {
      measured?.end(exit)
      this.#ended(id, method, exit)
    })
  }

  #answer(
    id: number,
    { handler, method }: Served,
    window: ChunkWindow | undefined,
    payload: unknown
  ): Effect.Effect<unknown, unknown> {
    if (window === undefined) return handler.effect(payload)
    return Stream.runForEachArray(handler.stream(payload), (chunk) => {
      this.#writer.write(Reply.chunk, id, 0, method.success.encode(chunk))
      return window.sent
    })
  }

  #ended(id: number, method: Method, exit: Exit.Exit<unknown, unknown>): void {
    this.#running.delete(id)
    if (exit._tag === "Failure" && this.#endsHost(exit.cause)) {
      // it is no answer: the call fails when the host exits
    } else if (exit._tag === "Failure") this.#writer.write(Reply.failure, id, 0, encodeFailure(method, exit.cause))
    else if (method.isStream) this.#writer.write(Reply.end, id)
    else this.#succeed(id, method, exit.value)
    if (this.#running.size === 0) this.#closing?.open()
  }

  /** Returns true if the caller did not ask for this interrupt, or if the handler called `process.exit`. */
  #endsHost(cause: Cause.Cause<unknown>): boolean {
    return this.#closing !== undefined && Cause.hasInterruptsOnly(cause) || isInstance(Cause.squash(cause), ExitCalled)
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
