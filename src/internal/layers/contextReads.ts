import * as Context from "effect/Context"

/** The values of a context that a layer asked for while it was built. */
export class ContextReads {
  readonly keys = new Set<string>()
  #wereCopied = false
  #isRecording = true

  /** `true` if the whole context was copied: reads of the copy cannot be seen. */
  get wereCopied(): boolean {
    return this.#wereCopied
  }

  add(key: string): void {
    if (this.#isRecording) this.keys.add(key)
  }

  addCopy(): void {
    if (this.#isRecording) this.#wereCopied = true
  }

  /** Ends the recording once the layer stands: reads of its finalizers say nothing about its build. */
  close(): void {
    this.#isRecording = false
  }
}

/** `true` while this library reads a context: such reads are not those of a layer. */
let isReadingOwn = false

/** The entries of a context, without recording a read. */
export const entriesOf = (context: Context.Context<never>): ReadonlyArray<readonly [string, unknown]> => {
  isReadingOwn = true
  try {
    return [...context.mapUnsafe]
  } finally {
    isReadingOwn = false
  }
}

/** A view of a context that records its reads. Nothing is copied. */
export const observed = <R>(context: Context.Context<R>, reads: ContextReads): Context.Context<R> => {
  isReadingOwn = true
  try {
    return Context.makeUnsafe(new ObservedMap(context.mapUnsafe, reads))
  } finally {
    isReadingOwn = false
  }
}

class ObservedMap implements ReadonlyMap<string, unknown> {
  readonly #map: ReadonlyMap<string, unknown>
  readonly #reads: ContextReads

  constructor(map: ReadonlyMap<string, unknown>, reads: ContextReads) {
    this.#map = map
    this.#reads = reads
  }
  get size(): number {
    return this.#map.size
  }
  get(key: string): unknown {
    if (!isReadingOwn) this.#reads.add(key)
    return this.#map.get(key)
  }
  has(key: string): boolean {
    return this.#map.has(key)
  }
  forEach(f: (value: unknown, key: string, map: ReadonlyMap<string, unknown>) => void): void {
    this.#copy().forEach(f)
  }
  entries(): MapIterator<[string, unknown]> {
    return this.#copy().entries()
  }
  keys(): MapIterator<string> {
    return this.#map.keys()
  }
  values(): MapIterator<unknown> {
    return this.#copy().values()
  }
  [Symbol.iterator](): MapIterator<[string, unknown]> {
    return this.entries()
  }
  #copy(): ReadonlyMap<string, unknown> {
    if (!isReadingOwn) this.#reads.addCopy()
    return this.#map
  }
}
