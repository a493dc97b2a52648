import type * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"

export type Chunk = Arr.NonEmptyReadonlyArray<unknown>

type State =
  | { readonly _tag: "Receiving" }
  /** All that had arrived was pulled, and the consumer waits for more. */
  | { readonly _tag: "Awaited"; readonly wake: () => void }
  | { readonly _tag: "Ended"; readonly exit: Exit.Exit<unknown, unknown> }

const receiving: State = { _tag: "Receiving" }

/** The chunks of a stream that have arrived and were not pulled yet. Each chunk that is pulled makes room for one. */
export class ReceivedStream {
  readonly #acknowledge: () => void
  readonly #chunks: Array<Chunk> = []
  #state: State = receiving

  /** `acknowledge` asks the host for one more chunk. */
  constructor(acknowledge: () => void) {
    this.#acknowledge = acknowledge
  }

  get hasEnded(): boolean {
    return this.#state._tag === "Ended"
  }

  readonly emit = (chunk: Chunk): void => {
    this.#chunks.push(chunk)
    this.#become(receiving)
  }

  readonly end = (exit: Exit.Exit<unknown, unknown>): void => this.#become({ _tag: "Ended", exit })

  readonly pull: Effect.Effect<Chunk, unknown> = Effect.suspend(() => this.#next() ?? this.#wait())

  #become(next: State): void {
    const before = this.#state
    if (before._tag === "Ended") return
    this.#state = next
    if (before._tag === "Awaited") before.wake()
  }

  #next(): Effect.Effect<Chunk, unknown> | undefined {
    const chunk = this.#chunks.shift()
    if (chunk !== undefined) {
      if (!this.hasEnded) this.#acknowledge()
      return Effect.succeed(chunk)
    }
    if (this.#state._tag !== "Ended") return undefined
    const { exit } = this.#state
    return exit._tag === "Success" ? Cause.done() : Effect.failCause(exit.cause)
  }

  #wait(): Effect.Effect<Chunk, unknown> {
    return Effect.callback((resume) => {
      const awaited: State = { _tag: "Awaited", wake: () => resume(this.pull) }
      this.#state = awaited
      return Effect.sync(() => {
        if (this.#state === awaited) this.#state = receiving
      })
    })
  }
}
