/** The results that wait to be handed on. */
export interface OutputBuffer<Task, Result, B> {
  readonly size: number
  /** `true` if one more element may be worked on. */
  readonly room: boolean
  readonly ready: boolean
  begin(task: Task): void
  put(task: Task, result: Result): void
  takeAll(): Array<B>
}

/** The number of results that may wait for a slow consumer, besides those under way. */
export const maxReady = 256

const empty = Symbol("autostop/empty")

/** Hands results on in the order of their elements. */
export class Ordered<B> implements OutputBuffer<number, B, B> {
  /** The results from the element `#base` on; `empty` marks those that are not ready. */
  #slots: Array<B | typeof empty> = []
  #base = 0
  #head = 0
  #begun = 0
  readonly #window: number
  size = 0

  constructor(concurrency: number) {
    this.#window = maxReady + concurrency
  }
  get room(): boolean {
    return this.#begun - this.#head < this.#window
  }
  get ready(): boolean {
    const next = this.#head - this.#base
    return next < this.#slots.length && this.#slots[next] !== empty
  }
  begin(): void {
    this.#begun++
    this.#slots.push(empty)
  }
  put(task: number, result: B): void {
    this.#slots[task - this.#base] = result
    this.size++
  }
  takeAll(): Array<B> {
    const slots = this.#slots
    const from = this.#head - this.#base
    let to = from
    while (to < slots.length && slots[to] !== empty) to++
    // safe: the slots hold results and `empty` only
    const chunk = slots.slice(from, to) as Array<B>
    this.#head += chunk.length
    this.size -= chunk.length
    if (to > maxReady) {
      this.#slots = slots.slice(to)
      this.#base = this.#head
    }
    return chunk
  }
}

/** Hands results on in the order in which they are ready; a result may stand for any number of elements. */
export class Unordered<Task, Result, B> implements OutputBuffer<Task, Result, B> {
  #chunk: Array<B> = []
  readonly #add: (chunk: Array<B>, result: Result) => void

  constructor(add: (chunk: Array<B>, result: Result) => void) {
    this.#add = add
  }
  get size(): number {
    return this.#chunk.length
  }
  get room(): boolean {
    return this.#chunk.length < maxReady
  }
  get ready(): boolean {
    return this.#chunk.length > 0
  }
  begin(): void {}
  put(_: Task, result: Result): void {
    this.#add(this.#chunk, result)
  }
  takeAll(): Array<B> {
    const chunk = this.#chunk
    this.#chunk = []
    return chunk
  }
}
