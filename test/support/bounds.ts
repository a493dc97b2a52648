import { assert } from "@effect/vitest"

const mebibyte = 1024 * 1024

/**
 * The time of the event loop that one input may take. It is time of this thread's own, to which a busy machine adds nothing; a
 * slow one does, and has as many times more.
 */
const longestMs = 50
/** The time that `work` takes on a quiet machine of 2026. */
const workMs = 15
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
  readonly #slowness = slowness()

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
    const most = longestMs * Math.max(this.#slowness, slowness())
    assert.isAtMost(this.#longest[collections] ?? 0, most, `the time of one input (${this.#longest.join(", ")})`)
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

/** Something of the kind that readers of bytes do. */
const work = (): number => {
  const text = JSON.stringify(Array.from({ length: 200 }, (_, n) => ({ n, name: `name ${n}` })))
  const read = (json: string): ReadonlyArray<{ readonly n: number; readonly name: string }> => JSON.parse(json)
  let length = 0
  for (let round = 0; round < 600; round++) length += read(text).map(({ n, name }) => `${n} ${name}`).join().length
  return length
}

/** How many times slower this machine is now than a quiet one; 1 on a faster one. */
const slowness = (): number => {
  const since = process.threadCpuUsage()
  work()
  const { system, user } = process.threadCpuUsage(since)
  return Math.max(1, (system + user) / 1_000 / workMs)
}

const usedBytes = (): number => {
  const { external, heapUsed } = process.memoryUsage()
  return heapUsed + external
}
