/** Reads a numbered feed of the API to its end, over as many connections as it takes. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { backoff, isTransient } from "./apiClient.ts"

/** An event of a feed. */
export type FeedEvent<A> = { readonly event: "heartbeat"; readonly data: string } | {
  readonly event: "message"
  readonly id: number
  readonly data: A
}

export interface FollowOptions<A, E, E2, E3> {
  /** Connects to the feed after this number. Returns nothing if there is no more of it. */
  readonly connect: (after: number) => Effect.Effect<Stream.Stream<FeedEvent<A>, E> | void, E2>
  /** Called with each element, once and in order. Returns true for the last one. */
  readonly take: (element: A) => boolean
  /** Called with each event, including heartbeats. */
  readonly onAlive: () => void
  /** Called when the connection is lost, or cannot be made again. */
  readonly onLost?: () => void
  /** Returns true if the feed can have no more elements. It is asked if the feed ends without its last element. */
  readonly isOver: Effect.Effect<boolean, E3>
  /** The time after which a silent connection is treated as lost, in milliseconds. */
  readonly silenceMs: number
}

/** `over`: the feed has no more elements than the next connection brings; `ended`: its last element was taken. */
type FeedState = "open" | "over" | "ended"

/**
 * Returns when the feed has ended after its last element, because the manager knows the end of the job only then. After a
 * connection that breaks, ends early or is silent, connects again after the last number that was taken.
 */
export const followFeed = <A, E, E2, E3>(
  options: FollowOptions<A, E, E2, E3>
): Effect.Effect<void, E | E2 | E3 | Cause.TimeoutError> =>
  Effect.gen(function*() {
    const { connect, isOver, onAlive, onLost, silenceMs, take } = options
    let last = 0
    let failures = 0
    let state = "open" as FeedState
    const accept = (item: FeedEvent<A>) => {
      failures = 0
      onAlive()
      if (item.event === "heartbeat" || item.id <= last || state === "ended") return
      last = item.id
      if (take(item.data)) state = "ended"
    }
    const unlessTransient = <B, F, C>(effect: Effect.Effect<B, F>, otherwise: C): Effect.Effect<B | C, F> =>
      Effect.catch(effect, (error) => isTransient(error) ? Effect.succeed(otherwise) : Effect.fail(error))
    for (;;) {
      const before = last
      const how = yield* Stream.unwrap(
        Effect.map(Effect.timeout(connect(last), silenceMs), (feed) => feed ?? Stream.empty)
      ).pipe(
        Stream.timeoutOrElse({ duration: silenceMs, orElse: () => Stream.fail(new Cause.TimeoutError()) }),
        Stream.runForEach((item) => Effect.sync(() => accept(item))),
        Effect.as("whole" as const),
        (whole) => unlessTransient(whole, "broken" as const)
      )
      if (state === "ended") return
      if (how === "whole") {
        // the job had stopped before this connection, and the connection had no new element
        if (state === "over" && last === before) return
        state = (yield* unlessTransient(isOver, false)) ? "over" : "open"
        if (state === "over") continue
      }
      onLost?.()
      yield* backoff(failures++)
    }
  })
