import * as Effect from "effect/Effect"

/** A door that opens once, and tells who asked to be told, in the same turn. */
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

  /** Calls back at once if it is open. Returns how to stop listening. */
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
