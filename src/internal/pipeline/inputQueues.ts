/** The elements that wait for a worker. A worker holds a `Task` while it works on an element. */
export interface InputQueue<A, Task> {
  add(elements: ReadonlyArray<A>): void
  /** `true` if an element can be worked on now. */
  readonly available: boolean
  /** The number of elements that wait, available or not. */
  readonly size: number
  take(): Task
  element(task: Task): A
  done(task: Task): void
}

/** First in, first out. The task is the element's place in the sequence. */
export class Fifo<A> implements InputQueue<A, number> {
  #elements: ReadonlyArray<A> = []
  #base = 0
  #next = 0

  add(elements: ReadonlyArray<A>): void {
    this.#base = this.#next
    this.#elements = elements
  }
  get available(): boolean {
    return this.#next - this.#base < this.#elements.length
  }
  get size(): number {
    return this.#base + this.#elements.length - this.#next
  }
  take(): number {
    return this.#next++
  }
  element(task: number): A {
    // safe: `take` is called if an element is available, and the chunk is not replaced before its body has run
    return this.#elements[task - this.#base] as A
  }
  done(): void {}
}

interface Lane<A> {
  readonly key: unknown
  readonly waiting: Array<A>
  next: number
}

/** One lane for each key that has elements: a lane is worked on by one worker at a time. */
export class Lanes<A> implements InputQueue<A, Lane<A>> {
  readonly #lanes = new Map<unknown, Lane<A>>()
  #runnable: Array<Lane<A>> = []
  #at = 0
  readonly #key: (a: A) => unknown
  size = 0

  constructor(key: (a: A) => unknown) {
    this.#key = key
  }
  add(elements: ReadonlyArray<A>): void {
    for (const element of elements) {
      const key = this.#key(element)
      const lane = this.#lanes.get(key)
      if (lane === undefined) {
        const lane = { key, waiting: [element], next: 0 }
        this.#lanes.set(key, lane)
        this.#runnable.push(lane)
      } else {
        lane.waiting.push(element)
      }
    }
    this.size += elements.length
  }
  get available(): boolean {
    return this.#at < this.#runnable.length
  }
  take(): Lane<A> {
    // safe: `take` is called if a lane is available
    const lane = this.#runnable[this.#at++] as Lane<A>
    if (this.#at === this.#runnable.length || this.#at === 4_096) {
      this.#runnable = this.#runnable.slice(this.#at)
      this.#at = 0
    }
    this.size--
    return lane
  }
  element(lane: Lane<A>): A {
    return lane.waiting[lane.next++] as A // safe: a runnable lane has at least one
  }
  done(lane: Lane<A>): void {
    if (lane.next === lane.waiting.length) {
      this.#lanes.delete(lane.key)
      return
    }
    if (lane.next >= 1_024) {
      lane.waiting.splice(0, lane.next)
      lane.next = 0
    }
    this.#runnable.push(lane)
  }
}

/** First in, first out; results may add elements. */
export class Loop<A> implements InputQueue<A, A> {
  #waiting: Array<A> = []
  #at = 0

  add(elements: ReadonlyArray<A>): void {
    for (const element of elements) this.#waiting.push(element)
  }
  get available(): boolean {
    return this.#at < this.#waiting.length
  }
  get size(): number {
    return this.#waiting.length - this.#at
  }
  take(): A {
    const element = this.#waiting[this.#at++] as A // safe: `take` is called if an element is available
    if (this.#at >= 4_096) {
      this.#waiting = this.#waiting.slice(this.#at)
      this.#at = 0
    }
    return element
  }
  element(element: A): A {
    return element
  }
  done(): void {}
}
