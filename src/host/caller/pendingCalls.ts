import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Stream from "effect/Stream"
import { OneShotLatch } from "../../base/oneShotLatch.ts"
import { decodeFailure, type Method } from "../contract.ts"
import type { HostError } from "../hostError.ts"
import { withTrace } from "../wire/callTrace.ts"
import { type FrameWriter, Reply, Request } from "../wire/frames.ts"
import type { ObservedCall, ObservedCalls } from "./observedCalls.ts"
import { type Chunk, ReceivedStream } from "./receivedStream.ts"

/** A call that was sent, and what its answers are passed to. */
interface Pending {
  readonly method: Method
  /** Takes the result of a call, the end of a stream, or how either failed. */
  readonly end: (exit: Exit.Exit<unknown, unknown>) => void
  /** Takes elements of a stream. */
  readonly emit: (chunk: Chunk) => void
  /** Its telemetry, if that is on. */
  readonly observed: ObservedCall | undefined
}

/** The state of the host, which decides about a call to it. */
type State =
  | { readonly _tag: "Open" }
  /** Calls are sent, but an interrupt does not wait for the end of its handler. */
  | { readonly _tag: "Unresponsive" }
  /** The host has ended: every call fails. */
  | { readonly _tag: "Lost"; readonly error: HostError }

const open: State = { _tag: "Open" }
const unresponsive: State = { _tag: "Unresponsive" }

const nothing = () => {}

/** Begins the telemetry of a call. */
type Observe = () => ObservedCall | undefined

/** The calls in flight to one host. Those of one turn of the event loop are sent together. */
export class PendingCalls {
  readonly #pending = new Map<number, Pending>()
  readonly #writer: FrameWriter
  readonly #observer: ObservedCalls | undefined
  /** The calls that were interrupted and whose handlers have not ended yet. */
  readonly #interrupted = new Set<number>()
  #state: State = open
  #nextId = 0
  #idle: OneShotLatch | undefined

  constructor(writer: FrameWriter, observer?: ObservedCalls) {
    this.#writer = writer
    this.#observer = observer
  }

  get inFlight(): number {
    return this.#pending.size
  }

  /** Opens once no call is in flight. */
  get idle(): OneShotLatch {
    const idle = this.#idle ??= new OneShotLatch()
    if (this.#pending.size === 0) idle.open()
    return idle
  }

  call(method: Method, payload: unknown): Effect.Effect<unknown, unknown> {
    return this.#observed(method, (observe) =>
      Effect.callback((resume) => {
        const id = this.#begin(payload, { method, end: resume, emit: nothing, observed: observe() })
        return id === undefined ? undefined : this.#interrupt(id)
      }))
  }

  stream(method: Method, payload: unknown): Stream.Stream<unknown, unknown> {
    return Stream.scoped(Stream.fromPull(
      Effect.map(
        Effect.acquireRelease(
          this.#observed(method, (observe) =>
            Effect.sync(() => {
              let id: number | undefined
              const received = new ReceivedStream(() => {
                if (id !== undefined) this.#writer.write(Request.ack, id)
              })
              id = this.#begin(payload, { method, end: received.end, emit: received.emit, observed: observe() })
              return { id, received }
            })),
          // nothing pulls the stream any longer: its host need not go on
          ({ id, received }) => id === undefined || received.hasEnded ? Effect.void : this.#interrupt(id)
        ),
        ({ received }) => received.pull
      )
    ))
  }

  /** Passes a frame on to its call. A frame of a call that has ended is dropped. */
  receive(operation: number, id: number, body: Uint8Array): void {
    const pending = this.#pending.get(id)
    if (pending === undefined) return
    if (operation === Reply.chunk) {
      // safe: a host sends no chunk without elements
      this.#decoded(id, () => pending.emit(pending.method.success.decode(body) as Chunk))
    } else if (operation === Reply.value) {
      this.#decoded(id, () => this.#end(id, Exit.succeed(pending.method.success.decode(body))))
    } else if (operation === Reply.end) {
      this.#end(id, Exit.void)
    } else if (operation === Reply.failure) {
      this.#decoded(id, () => this.#end(id, decodeFailure(pending.method, body)))
    }
  }

  /** Returns true if the call failed with this error because the host has ended. */
  isLost(error: unknown): boolean {
    return this.#state._tag === "Lost" && this.#state.error === error
  }

  /** The event loop of the host is blocked: no interrupt waits for its handler any longer. */
  hostBlocked(): void {
    if (this.#state._tag !== "Open") return
    this.#state = unresponsive
    for (const id of this.#interrupted) this.#end(id, Exit.void)
  }

  /** The event loop of the host turns again. */
  hostResponsive(): void {
    if (this.#state._tag === "Unresponsive") this.#state = open
  }

  /** The host has ended: every call in flight fails with this error, and so does every later one. */
  hostLost(error: HostError): void {
    if (this.#state._tag === "Lost") return
    this.#state = { _tag: "Lost", error }
    for (const id of this.#pending.keys()) this.#end(id, Exit.fail(error))
  }

  #decoded(id: number, take: () => void): void {
    try {
      take()
    } catch (error) {
      this.#end(id, Exit.die(error))
    }
  }

  /** Lets a call begin its telemetry in the turn in which it is sent: one that is interrupted before has none. */
  #observed<A>(method: Method, call: (observe: Observe) => Effect.Effect<A, unknown>): Effect.Effect<A, unknown> {
    const observer = this.#observer
    return observer === undefined
      ? call(unobserved)
      : Effect.withFiber((fiber) => call(() => observer.begin(method, fiber)))
  }

  /** Sends a call and returns its id; ends it at once and returns nothing if it cannot be sent. */
  #begin(payload: unknown, pending: Pending): number | undefined {
    const { method, observed } = pending
    if (this.#state._tag === "Lost") {
      finish(pending, Exit.fail(this.#state.error))
      return undefined
    }
    let body: Uint8Array
    try {
      body = method.payload.encode(payload)
    } catch (error) {
      finish(pending, Exit.die(error))
      return undefined
    }
    const id = this.#nextId
    this.#nextId = (id + 1) >>> 0
    this.#pending.set(id, pending)
    if (observed?.trace === undefined) this.#writer.write(Request.call, id, method.index, body)
    else this.#writer.write(Request.tracedCall, id, method.index, withTrace(observed.trace, body))
    return id
  }

  /** Interrupts a call as one in process is: the interrupt ends once the handler has. */
  #interrupt(id: number): Effect.Effect<void> {
    return Effect.callback((resume) => {
      const pending = this.#pending.get(id)
      if (pending === undefined) return resume(Effect.void)
      const { method, observed } = pending
      this.#pending.set(id, {
        method,
        end: () => resume(Effect.void),
        emit: nothing,
        // however its handler ends, nobody takes its result
        observed: observed && { ...observed, end: () => observed.end(Exit.interrupt()) }
      })
      this.#interrupted.add(id)
      this.#writer.write(Request.interrupt, id)
      if (this.#state._tag === "Unresponsive") this.#end(id, Exit.void)
    })
  }

  #end(id: number, exit: Exit.Exit<unknown, unknown>): void {
    const pending = this.#pending.get(id)
    if (pending === undefined) return
    this.#pending.delete(id)
    this.#interrupted.delete(id)
    if (this.#pending.size === 0) {
      this.#idle?.open()
      this.#idle = undefined
    }
    finish(pending, exit)
  }
}

const unobserved: Observe = () => undefined

const finish = ({ end, observed }: Pending, exit: Exit.Exit<unknown, unknown>): void => {
  observed?.end(exit)
  end(exit)
}
