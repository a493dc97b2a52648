const windowMs = 1_000

/** Lets so many pass in one second, and counts those that it leaves out. */
export class RateLimit {
  readonly #most: number
  #since = -Infinity
  #passed = 0
  #leftOut = 0

  constructor(most: number) {
    this.#most = most
  }

  /** `true` if no more pass in this second. */
  get isFull(): boolean {
    return this.#passed >= this.#most
  }

  /** The number of those that were left out since the last one passed. */
  get leftOut(): number {
    return this.#leftOut
  }

  /** Lets one pass at a time in milliseconds, and returns how many were left out before it; or leaves it out, too. */
  pass(at: number): number | undefined {
    if (at - this.#since >= windowMs) {
      this.#since = at
      this.#passed = 0
    }
    if (this.isFull) return this.leaveOut()
    this.#passed++
    const leftOut = this.#leftOut
    this.#leftOut = 0
    return leftOut
  }

  /** Leaves one out, whatever the time is. */
  leaveOut(): undefined {
    this.#leftOut++
    return undefined
  }
}
