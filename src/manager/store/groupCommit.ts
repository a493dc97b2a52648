/** Commits the writes of several callers at once, because a commit costs far more than what it writes. */
import type * as Arr from "effect/Array"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"

export interface GroupOptions<A, B, E> {
  /** Writes all of the values in one commit, and returns a result for each. If it fails, nothing is written. */
  readonly write: (values: Arr.NonEmptyReadonlyArray<A>) => Effect.Effect<ReadonlyArray<B>, E>
  /** The largest number of values of one commit. */
  readonly most: number
  /** Returns true if one of the values may be at fault: each is then written alone, so that the others do not fail with it. */
  readonly isOfValue: (error: E) => boolean
}

interface Write<A, B, E> {
  readonly value: A
  readonly result: Deferred.Deferred<B, E>
}

/**
 * Returns a function that writes a value, and returns once it is committed. The values that come in one turn, or during a commit,
 * are the next one. A caller that is interrupted before that writes nothing.
 */
export const groupCommit = <A, B, E>(
  { isOfValue, most, write }: GroupOptions<A, B, E>
): Effect.Effect<(value: A) => Effect.Effect<B, E>> =>
  Effect.contextWith((context) => {
    const waiting = new Set<Write<A, B, E>>()
    let isCommitting = false

    const commit = (writes: ReadonlyArray<Write<A, B, E>>): Effect.Effect<void> => {
      const [first, ...others] = writes
      if (first === undefined) return Effect.void
      return Effect.flatMap(
        Effect.exit(write([first.value, ...others.map(({ value }) => value)])),
        (exit): Effect.Effect<void> => {
          const isOfOne = others.length > 0 && Exit.isFailure(exit) &&
            exit.cause.reasons.some((reason) => reason._tag === "Fail" && isOfValue(reason.error))
          if (isOfOne) {
            return Effect.forEach(writes, (write) => commit([write]), { concurrency: "unbounded", discard: true })
          }
          return Effect.sync(() => {
            for (const [index, { result }] of writes.entries()) {
              // safe: there is a result for each value
              Deferred.doneUnsafe(result, Exit.map(exit, (results) => results[index] as B))
            }
          })
        }
      )
    }

    const commitAll: Effect.Effect<void> = Effect.suspend(() => {
      const writes = [...waiting].slice(0, most)
      if (writes.length === 0) {
        isCommitting = false
        return Effect.void
      }
      for (const write of writes) waiting.delete(write)
      return Effect.andThen(commit(writes), commitAll)
    })

    return Effect.succeed((value: A) =>
      Effect.suspend(() => {
        const write = { value, result: Deferred.makeUnsafe<B, E>() }
        waiting.add(write)
        if (!isCommitting) {
          isCommitting = true
          Effect.runForkWith(context)(Effect.andThen(Effect.yieldNow, commitAll))
        }
        return Effect.onInterrupt(Deferred.await(write.result), () => Effect.sync(() => void waiting.delete(write)))
      })
    )
  })
