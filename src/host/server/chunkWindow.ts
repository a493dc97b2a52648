import * as Effect from "effect/Effect"

/** The number of chunks of one stream that may be on their way to its consumer. */
const windowChunks = 8

/** Holds a stream back until its consumer has taken what was sent. */
export class ChunkWindow {
  /** The number of chunks that may still be sent. */
  #credit = windowChunks
  #resume: (() => void) | undefined

  /** Counts a chunk that was sent, and waits until one more may be. */
  readonly sent: Effect.Effect<void> = Effect.suspend(() => --this.#credit > 0 ? Effect.void : this.#wait)

  /** The consumer has taken a chunk. */
  acknowledge(): void {
    this.#credit++
    const resume = this.#resume
    this.#resume = undefined
    resume?.()
  }

  readonly #wait: Effect.Effect<void> = Effect.callback((resume) => {
    this.#resume = () => resume(Effect.void)
    return Effect.sync(() => void (this.#resume = undefined))
  })
}
