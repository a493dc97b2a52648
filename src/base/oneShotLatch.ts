import * as Effect from "effect/Effect"

/**
 * A latch that opens once and calls its listeners in the same turn. Effect's own Latch resumes its waiting fibers later, and
 * takes no listeners that are not fibers: a stop must not lose a turn between its trigger and its first phase.
 */
export class OneShotLatch {
  isOpen = false
  #listeners: Set<() => void> | undefined

  open(): void {
    if (this.isOpen) return
    this.isOpen = true
    const listeners = this.#listeners
    this.#listeners = undefined
    for (const listener of listeners ?? []) listener()
  }

  /** Calls the listener when the latch opens, at once if it is open. Returns a function that removes the listener. */
  onOpen(listener: () => void): () => void {
    if (this.isOpen) {
      listener()
      return () => {}
    }
    this.#listeners ??= new Set()
    this.#listeners.add(listener)
    return () => this.#listeners?.delete(listener)
  }

  get await(): Effect.Effect<void> {
    return Effect.callback((resume) => {
      const off = this.onOpen(() => resume(Effect.void))
      return Effect.sync(off)
    })
  }
}
