import { isRepeated, type Signal } from "./signals.ts"
import { startTimer } from "./timers.ts"

/**
 * The time in which a signal belongs to the request of the one before: a watcher or wrapper forwards what the terminal has
 * sent already, up to 132 ms later as far as is known. A person is slower.
 */
export const sameRequestMs = 500

/** The same for people. */
export const sameRequestText = `one that comes within ${sameRequestMs} ms is the same request`

/**
 * Counts the requests to stop that signals make. All signals within 500 ms of the first one of a request belong to it; the
 * next one is the next request.
 */
export class SignalRequests {
  #count = 0
  /** Ends the time in which signals belong to the last request, if it has not passed. */
  #close: (() => void) | undefined

  /** The number of requests so far. */
  get count(): number {
    return this.#count
  }

  /** Returns true if the signal is a request of its own. */
  add(signal: Signal): boolean {
    if (this.#close !== undefined || (this.#count > 0 && isRepeated(signal))) return false
    this.#begin(this.#count + 1)
    return true
  }

  /** Takes the number that the parent of this process has counted. Returns true if that is a request more. */
  told(count: number): boolean {
    if (count <= this.#count) return false
    this.#begin(count)
    return true
  }

  #begin(count: number): void {
    this.#count = count
    this.#close?.()
    // signals that came while the event loop was blocked are read after the timers of its next turn
    const cancel = startTimer(sameRequestMs, () => {
      setImmediate(() => {
        if (this.#close === cancel) this.#close = undefined
      })
    }, { keepsAlive: false })
    this.#close = cancel
  }
}
