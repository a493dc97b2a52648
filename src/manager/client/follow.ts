/** Reads a numbered stream of the API to its end, over as many connections as it takes. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { backoff, isPassing } from "./client.ts"

/** What comes over a stream of the API. */
export type FeedEvent<A> = { readonly event: "heartbeat"; readonly data: string } | {
  readonly event: "message"
  readonly id: number
  readonly data: A
}

export interface Followed<A, E, E2, E3> {
  /** The stream of what comes after this number. */
  readonly connect: (after: number) => Effect.Effect<Stream.Stream<FeedEvent<A>, E>, E2>
  /** Takes each element, in order, once. Whether it is the last one. */
  readonly take: (element: A) => boolean
  /** Called whenever something comes, also a mere heartbeat. */
  readonly heard: () => void
  /** Called when the connection is lost, or cannot be made again. */
  readonly lost?: () => void
  /** Whether nothing more is to come, where a stream ends without its last element. */
  readonly isOver: Effect.Effect<boolean, E3>
  /** How long nothing may come until the connection counts as lost. */
  readonly silenceMs: number
}

/**
 * Ends with the stream: once it has ended after its last element, since only then all is told of what it is about. A
 * connection that breaks, ends early or falls silent is made again, for what comes after the last number that was taken.
 */
export const follow = <A, E, E2, E3>(
  options: Followed<A, E, E2, E3>
): Effect.Effect<void, E | E2 | E3 | Cause.TimeoutError> =>
  Effect.gen(function*() {
    const { connect, heard, isOver, silenceMs, take } = options
    let last = 0
    let failures = 0
    let ended = false
    let wasOver = false
    const accept = (item: FeedEvent<A>) => {
      failures = 0
      heard()
      if (item.event === "heartbeat" || item.id <= last || ended) return
      last = item.id
      ended = take(item.data)
    }
    const unlessPassing = <B, F, C>(effect: Effect.Effect<B, F>, otherwise: C): Effect.Effect<B | C, F> =>
      Effect.catch(effect, (error) => isPassing(error) ? Effect.succeed(otherwise) : Effect.fail(error))
    for (;;) {
      const before = last
      const how = yield* Stream.unwrap(Effect.timeout(connect(last), silenceMs)).pipe(
        Stream.timeoutOrElse({ duration: silenceMs, orElse: () => Stream.fail(new Cause.TimeoutError()) }),
        Stream.runForEach((item) => Effect.sync(() => accept(item))),
        Effect.as("whole" as const),
        (whole) => unlessPassing(whole, "broken" as const)
      )
      if (ended) return
      if (how === "whole") {
        // it says that it is over, and had nothing to add to what is known
        if (wasOver && last === before) return
        wasOver = yield* unlessPassing(isOver, false)
        if (wasOver) continue
      }
      options.lost?.()
      yield* backoff(failures++)
    }
  })
