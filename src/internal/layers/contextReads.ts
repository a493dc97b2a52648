import * as EffectContext from "effect/Context"
import type * as Context from "effect/Context"

/** Which values of a context were asked for while a layer was built from it. */
export class Reads {
  readonly keys = new Set<string>()
  /** All of it was copied: what was read from the copy cannot be seen. */
  copied = false
  /** Set once the layer stands: what its finalizers do with the context says nothing of its build. */
  closed = false
}

/** While it is set, whoever looks at a context is this library, not a layer. */
let looking = false

/** Looks at a context without leaving a trace. */
export const look = (context: Context.Context<never>): ReadonlyArray<readonly [string, unknown]> => {
  looking = true
  try {
    return [...context.mapUnsafe]
  } finally {
    looking = false
  }
}

/** The same context, which notes what is asked of it. Nothing is copied. */
export const observed = <R>(context: Context.Context<R>, reads: Reads): Context.Context<R> => {
  looking = true
  try {
    return EffectContext.makeUnsafe(new ObservedMap(context.mapUnsafe, reads))
  } finally {
    looking = false
  }
}

class ObservedMap implements ReadonlyMap<string, unknown> {
  readonly #map: ReadonlyMap<string, unknown>
  readonly #reads: Reads

  constructor(map: ReadonlyMap<string, unknown>, reads: Reads) {
    this.#map = map
    this.#reads = reads
  }
  get size(): number {
    return this.#map.size
  }
  get(key: string): unknown {
    if (!looking && !this.#reads.closed) this.#reads.keys.add(key)
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
    if (!looking && !this.#reads.closed) this.#reads.copied = true
    return this.#map
  }
}
