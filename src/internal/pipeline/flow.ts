import type * as Scope from "effect/Scope"

/** A source that runs. */
interface RunningSource {
  /** `true` once it has emitted: elements may be on their way. */
  readonly hasEmitted: boolean
}

/** A stream that has run its source again this often while it is drained is not going to end. */
const mostReruns = 1_000

/** The number of scopes around a source among which that of a repetition is looked for. */
const mostLevels = 8

/**
 * A source that runs again during a drain: the stream that repeats it is to end, by the scope that lies `level` scopes
 * around the source; or it waits, because that did not help.
 */
export type Rerun = "waits" | { readonly level: number }

/** A stream with sources. It is over when it has ended, however many sources it has. */
export class Flow {
  /** The counters of the sources that have run. */
  readonly #known = new Set<object>()
  /** The sources that run, with their scopes. */
  readonly #running = new Map<RunningSource, Scope.Scope>()
  #reruns = 0

  /**
   * Returns what becomes of a source that begins during a drain, if it has run before: `Stream.repeat` or the like repeats
   * it, and has to end. Returns nothing if it is run for the elements of another source, some of which may be on their way.
   */
  rerun(stage: object, scope: Scope.Scope): Rerun | undefined {
    if (!this.#known.has(stage)) return undefined
    if (++this.#reruns > mostReruns) return "waits"
    for (const [source, around] of this.#running) if (source.hasEmitted && isWithin(scope, around)) return undefined
    return { level: (this.#reruns - 1) % mostLevels }
  }

  /** A source begins. Returns a function that says that it is gone. */
  add(stage: object, source: RunningSource, scope: Scope.Scope): () => void {
    this.#known.add(stage)
    this.#running.set(source, scope)
    return () => this.#running.delete(source)
  }
}

const isWithin = (scope: Scope.Scope, around: Scope.Scope): boolean =>
  scope === around || (scope.parent !== undefined && isWithin(scope.parent, around))
