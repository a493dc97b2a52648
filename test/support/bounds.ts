import { assert } from "@effect/vitest"

const mebibyte = 1024 * 1024

/** The time of the event loop that one input may take. It is time of this thread's own: a busy machine adds nothing to it. */
const longestMs = 50
/** The number of inputs after which the code is compiled: the time of the first ones is not that of the inputs. */
const coldInputs = 50
/** The number of inputs whose time may be that of a collection of garbage, which all before them have made. */
const collections = 2
/** The memory that all inputs together may hold at any time. */
const mostBytes = 256 * mebibyte

/** Measures what inputs of strangers cost those who read them. */
export class Bounds {
  /** The times of the inputs that took longest. */
  #longest: ReadonlyArray<number> = []
  #mostBytes = 0
  #inputs = 0
  readonly #before = usedBytes()

  /** Measures one input. */
  take<A>(read: () => A): A {
    const since = process.threadCpuUsage()
    const value = read()
    this.#add(since)
    return value
  }

  /** Measures inputs that are read in turns. */
  async takeAll<A>(read: () => Promise<A>): Promise<A> {
    const since = process.threadCpuUsage()
    const value = await read()
    this.#add(since)
    return value
  }

  assertKept(): void {
    assert.isAtMost(this.#longest[collections] ?? 0, longestMs, `the time of one input (${this.#longest.join(", ")})`)
    assert.isAtMost(this.#mostBytes, mostBytes, "the memory of all inputs")
  }

  #add(since: NodeJS.CpuUsage): void {
    const { system, user } = process.threadCpuUsage(since)
    const ms = (system + user) / 1_000
    if (++this.#inputs > coldInputs && ms > (this.#longest[collections] ?? 0)) {
      this.#longest = [...this.#longest, ms].toSorted((a, b) => b - a).slice(0, collections + 1)
    }
    if (this.#inputs % 500 === 0) this.#mostBytes = Math.max(this.#mostBytes, usedBytes() - this.#before)
  }
}

const usedBytes = (): number => {
  const { external, heapUsed } = process.memoryUsage()
  return heapUsed + external
}
