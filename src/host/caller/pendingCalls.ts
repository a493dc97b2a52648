import type * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Stream from "effect/Stream"
import { OneShotLatch } from "../../base/oneShotLatch.ts"
import { decodeFailure, type Method } from "../contract.ts"
import type { HostError } from "../hostError.ts"
import { FrameWriter, Reply, Request } from "../wire/frames.ts"

type Chunk = Arr.NonEmptyReadonlyArray<unknown>

/** A call that was sent, and whoever waits for what comes back. */
interface Pending {
  readonly method: Method
  /** A result, or how it failed. */
  readonly end: (exit: Exit.Exit<unknown, unknown>) => void
  /** Elements of a stream. */
  readonly emit: (chunk: Chunk) => void
}

const nothing = () => {}

/** The calls that one host has: sends them, those of one turn together, and hands out what comes back. */
export class Caller {
  readonly #pending = new Map<number, Pending>()
  readonly #writer: FrameWriter
  /** The calls that were interrupted and whose handlers have not ended yet. */
  readonly #interrupted = new Set<number>()
  #responsive = true
  #nextId = 0
  #lost: HostError | undefined
  #idle: OneShotLatch | undefined

  constructor(writer: FrameWriter) {
    this.#writer = writer
  }

  get inFlight(): number {
    return this.#pending.size
  }

  /** Opens when no call is in flight. */
  get idle(): OneShotLatch {
    const idle = this.#idle ??= new OneShotLatch()
    if (this.#pending.size === 0) idle.open()
    return idle
  }

  call(method: Method, payload: unknown): Effect.Effect<unknown, unknown> {
    return Effect.callback((resume) => {
      const id = this.#begin(method, payload, { method, end: resume, emit: nothing }, resume)
      return id === undefined ? undefined : this.#interrupt(id, method)
    })
  }

  stream(method: Method, payload: unknown): Stream.Stream<unknown, unknown> {
    return Stream.scoped(Stream.fromPull(
      Effect.map(
        Effect.acquireRelease(
          Effect.sync(() => {
            const received = new Received((id) => this.#writer.write(Request.ack, id))
            received.id = this.#begin(method, payload, { method, end: received.end, emit: received.emit }, received.end)
            return received
          }),
          // nobody pulls it any longer: its host need not go on
          (received) =>
            received.id === undefined || received.hasEnded ? Effect.void : this.#interrupt(received.id, method)
        ),
        (received) => received.pull
      )
    ))
  }

  /** A frame that came back. What nobody waits for any longer is passed over. */
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

  /** Whether that is how its calls fail since the host is gone. */
  hasLost(error: unknown): boolean {
    return error !== undefined && error === this.#lost
  }

  /** While a host does not answer nobody waits for the end of what was interrupted. */
  set responsive(responsive: boolean) {
    this.#responsive = responsive
    if (responsive) return
    for (const id of this.#interrupted) this.#end(id, Exit.void)
  }

  /** The host is gone: whatever was in flight fails, and so does whatever comes. */
  lose(error: HostError): void {
    this.#lost ??= error
    for (const id of this.#pending.keys()) this.#end(id, Exit.fail(error))
  }

  #decoded(id: number, take: () => void): void {
    try {
      take()
    } catch (error) {
      this.#end(id, Exit.die(error))
    }
  }

  #begin(
    method: Method,
    payload: unknown,
    pending: Pending,
    refuse: (exit: Exit.Exit<never, unknown>) => void
  ): number | undefined {
    if (this.#lost !== undefined) {
      refuse(Exit.fail(this.#lost))
      return undefined
    }
    let body: Uint8Array
    try {
      body = method.payload.encode(payload)
    } catch (error) {
      refuse(Exit.die(error))
      return undefined
    }
    const id = this.#nextId
    this.#nextId = (id + 1) >>> 0
    this.#pending.set(id, pending)
    this.#writer.write(Request.call, id, method.index, body)
    return id
  }

  /** Interrupts a call as one in process is: it is over once its handler has ended. */
  #interrupt(id: number, method: Method): Effect.Effect<void> {
    return Effect.callback((resume) => {
      if (!this.#pending.has(id)) return resume(Effect.void)
      this.#pending.set(id, { method, end: () => resume(Effect.void), emit: nothing })
      this.#interrupted.add(id)
      this.#writer.write(Request.interrupt, id)
      if (!this.#responsive) this.#end(id, Exit.void)
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
    pending.end(exit)
  }
}

/** The elements of a stream that have arrived and were not pulled yet. Each chunk that is pulled makes room for one. */
class Received {
  readonly #ack: (id: number) => void
  readonly #chunks: Array<Chunk> = []
  #ended: Exit.Exit<unknown, unknown> | undefined
  #waiting: (() => void) | undefined
  id: number | undefined

  constructor(ack: (id: number) => void) {
    this.#ack = ack
  }

  get hasEnded(): boolean {
    return this.#ended !== undefined
  }

  readonly emit = (chunk: Chunk): void => {
    this.#chunks.push(chunk)
    this.#waiting?.()
  }

  readonly end = (exit: Exit.Exit<unknown, unknown>): void => {
    this.#ended = exit
    this.#waiting?.()
  }

  readonly pull: Effect.Effect<Chunk, unknown> = Effect.suspend(() => this.#next() ?? this.#wait())

  #next(): Effect.Effect<Chunk, unknown> | undefined {
    const chunk = this.#chunks.shift()
    if (chunk !== undefined) {
      if (this.id !== undefined && !this.hasEnded) this.#ack(this.id)
      return Effect.succeed(chunk)
    }
    if (this.#ended === undefined) return undefined
    return this.#ended._tag === "Success" ? Cause.done() : Effect.failCause(this.#ended.cause)
  }

  #wait(): Effect.Effect<Chunk, unknown> {
    return Effect.callback((resume) => {
      this.#waiting = () => {
        const next = this.#next()
        if (next === undefined) return
        this.#waiting = undefined
        resume(next)
      }
      return Effect.sync(() => void (this.#waiting = undefined))
    })
  }
}
