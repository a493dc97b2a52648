/** Notices that the event loop of a host does not answer, long before a call would. */
export class Heartbeat {
  readonly #everyMs: number
  readonly #ping: () => void
  readonly #onChange: (responsive: boolean) => void
  #timer: NodeJS.Timeout | undefined
  #lastTick = 0
  #waiting = false
  #responsive = true

  constructor(everyMs: number, ping: () => void, onChange: (responsive: boolean) => void) {
    this.#everyMs = everyMs
    this.#ping = ping
    this.#onChange = onChange
  }

  start(): void {
    if (this.#everyMs === Infinity) return
    this.#lastTick = performance.now()
    this.#timer = setInterval(() => this.#tick(), this.#everyMs)
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  heard(): void {
    this.#waiting = false
    if (this.#responsive) return
    this.#responsive = true
    this.#onChange(true)
  }

  #tick(): void {
    const now = performance.now()
    // where it was this event loop that was blocked, what the host has answered was not read yet
    const late = now - this.#lastTick > 1.5 * this.#everyMs
    this.#lastTick = now
    if (this.#waiting && !late && this.#responsive) {
      this.#responsive = false
      this.#onChange(false)
    }
    if (this.#waiting) return
    this.#waiting = true
    this.#ping()
  }
}
