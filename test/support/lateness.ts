/** How late this machine is: a bound on time is only the behaviour of what is tested without it. */

const tickMs = 10

/** Adds up by how many milliseconds the timers of this process are late. It keeps no process alive. */
export class Lateness {
  #last = performance.now()
  #ms = 0
  readonly #timer = setInterval(() => this.#sample(), tickMs).unref()

  /** The milliseconds up to now. */
  get ms(): number {
    this.#sample()
    return this.#ms
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #sample(): void {
    const now = performance.now()
    this.#ms += Math.max(0, now - this.#last - tickMs)
    this.#last = now
  }
}

/** How long something took: in all, and without the time by which the machine was late meanwhile. */
export interface Timed<A> {
  readonly value: A
  readonly ms: number
  readonly punctualMs: number
}

/** Measures how long something takes, and beside it how late the machine is. */
export const timed = async <A>(wait: () => Promise<A>): Promise<Timed<A>> => {
  const since = performance.now()
  const lateness = new Lateness()
  const value = await wait()
  lateness.stop()
  const ms = performance.now() - since
  return { value, ms, punctualMs: ms - lateness.ms }
}
