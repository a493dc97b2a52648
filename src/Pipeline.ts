/**
 * Operators on `Stream`: named counters, sources that can be drained, and parallel work in which nothing is lost.
 * Everything else is Stream's own. Outside of a job the operators do the same work and count nothing.
 *
 * @since 0.1.0
 */
import * as Channel from "effect/Channel"
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Stream from "effect/Stream"
import { illegalOption } from "./base/illegalOption.ts"
import { stagesHere, stagesOf } from "./internal/pipeline/currentStages.ts"
import { joinStreams } from "./internal/pipeline/hashJoin.ts"
import { Opening, openingAround } from "./internal/pipeline/opening.ts"
import { Fifo, Lanes, Loop } from "./internal/pipeline/inputQueues.ts"
import { Ordered, Unordered } from "./internal/pipeline/outputBuffers.ts"
import { openSource } from "./internal/pipeline/openSource.ts"
import { parallel } from "./internal/pipeline/workerPool.ts"

/**
 * Makes an operator that is used data-first and data-last. Unlike `dual` it checks the options of the data-last form where
 * that is written.
 */
const operator = <F>(prepare: (...args: Array<never>) => (self: Stream.Stream<never>) => unknown): F =>
  // safe: each operator declares both forms of what it prepares
  ((...args: Array<never>): unknown => {
    const [self, ...rest] = args
    return Stream.isStream(self) ? prepare(...rest)(self as Stream.Stream<never>) : prepare(...args)
  }) as F

/**
 * The options of `source`.
 *
 * @category sources
 * @since 0.2.0
 */
export interface SourceOptions<out R = never> {
  /**
   * What a drain does with the stream before this source.
   *
   * - `"interrupt"`, the default: the pull under way is interrupted where it waits and can be interrupted, and the stream
   *   ends. What the pull hands over before that, because it is uninterruptible or has just ended, is emitted.
   * - `"await"`: the pull under way comes to its end, what it hands over is emitted, and the stream ends.
   * - an effect: it runs once, at the drain, and makes the stream end by itself: it ends a queue, stops a subscription, aborts
   *   an iterator. The stream is pulled on until it ends, and all of that is emitted. If the effect fails, the report has the
   *   `error`, a warning is logged, and the source ends as with `"interrupt"`.
   *
   * All of that lasts no longer than the drain.
   */
  readonly onDrain?: "interrupt" | "await" | Effect.Effect<unknown, unknown, R> | undefined
}

/**
 * Marks where elements enter a job. When a drain is asked for, the stream ends here: what it had emitted flows on to the
 * sinks, and nothing new begins. Counts what it emits; a job stops as idle if no source has emitted for a while.
 *
 * **When to use**
 *
 * At the beginning, before the first operator that holds elements and after `Stream.repeat`. Give `onDrain` to a source that
 * others push elements to (a queue, a callback, a subscription), or whose pull takes something that must not get lost.
 *
 * **Details**
 *
 * A pipeline that never waits lets the event loop turn here every 10 ms, so that signals and limits are seen. What a pull
 * hands over after its consumer was cancelled is counted as `dropped`.
 *
 * **Example** (Ending a subscription)
 *
 * ```ts
 * import { Pipeline } from "autostop"
 * import { Cause, Effect, Queue, Stream } from "effect"
 *
 * declare const subscribe: (onMessage: (message: string) => void) => { readonly stop: () => Promise<void> }
 *
 * const messages = Stream.unwrap(Effect.gen(function*() {
 *   const queue = yield* Queue.unbounded<string, Cause.Done>()
 *   const subscription = subscribe((message) => Queue.offerUnsafe(queue, message))
 *   const onDrain = Effect.andThen(Effect.promise(() => subscription.stop()), Queue.end(queue))
 *   return Stream.fromQueue(queue).pipe(Pipeline.source("messages", { onDrain }))
 * }))
 * ```
 *
 * @category sources
 * @since 0.1.0
 */
export const source: {
  <R2 = never>(
    name: string,
    options?: SourceOptions<R2>
  ): <A, E, R>(self: Stream.Stream<A, E, R>) => Stream.Stream<A, E, R | R2>
  <A, E, R, R2 = never>(
    self: Stream.Stream<A, E, R>,
    name: string,
    options?: SourceOptions<R2>
  ): Stream.Stream<A, E, R | R2>
} = operator(<R2>(name: string, { onDrain = "interrupt" }: SourceOptions<R2> = {}) => {
  if (onDrain !== "interrupt" && onDrain !== "await" && !Effect.isEffect(onDrain)) {
    throw illegalOption("onDrain", onDrain, "\"interrupt\", \"await\", or an effect")
  }
  return <A, E, R>(self: Stream.Stream<A, E, R>): Stream.Stream<A, E, R | R2> =>
    openSource(self, { name, onDrain, made: stagesHere() })
})

/**
 * Counts the elements that pass, by chunk.
 *
 * @category counters
 * @since 0.1.0
 */
export const stage: {
  (name: string): <A, E, R>(self: Stream.Stream<A, E, R>) => Stream.Stream<A, E, R>
  <A, E, R>(self: Stream.Stream<A, E, R>, name: string): Stream.Stream<A, E, R>
} = dual(
  2,
  <A, E, R>(self: Stream.Stream<A, E, R>, name: string): Stream.Stream<A, E, R> => {
    const made = stagesHere()
    return Stream.fromChannel(Channel.fromTransform((_: unknown, scope) =>
      Effect.withFiber((fiber) => {
        const stages = stagesOf(fiber, made)
        if (stages === undefined) return Channel.toPullScoped(self.channel, scope)
        const opening = new Opening(stages, scope)
        return Effect.flatMap(opening.open(self), (pull) => {
          const stage = stages.stage("stage", name)
          opening.become(stage)
          return opening.timed(Effect.map(pull, (chunk) => {
            stage.count += chunk.length
            return chunk
          }))
        })
      })
    ))
  }
)

/**
 * Says that the elements of this stream come from the stages of that name. The streams of one run find each other by
 * themselves; nobody sees what goes through a `Stream.broadcast`, a `Stream.share`, a queue or the function of a `flatMap`.
 *
 * **Details**
 *
 * It does nothing for an element. Behind it has to be an operator of this module: the stage that takes from them.
 *
 * **Example** (One source that two stages take from)
 *
 * ```ts
 * import { Pipeline } from "autostop"
 * import { Effect, Stream } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   const [left, right] = yield* Stream.range(1, 100).pipe(
 *     Pipeline.source("numbers"),
 *     Stream.broadcastN({ n: 2, capacity: 8 })
 *   )
 *   const count = (self: Stream.Stream<number>, name: string) =>
 *     self.pipe(Pipeline.upstream("numbers"), Pipeline.stage(name), Stream.runCount)
 *   return yield* Effect.all([count(left, "left"), count(right, "right")], { concurrency: 2 })
 * })
 * ```
 *
 * @category counters
 * @since 0.2.0
 */
export const upstream: {
  (name: string): <A, E, R>(self: Stream.Stream<A, E, R>) => Stream.Stream<A, E, R>
  <A, E, R>(self: Stream.Stream<A, E, R>, name: string): Stream.Stream<A, E, R>
} = dual(
  2,
  <A, E, R>(self: Stream.Stream<A, E, R>, name: string): Stream.Stream<A, E, R> =>
    Stream.fromChannel(Channel.fromTransform((_: unknown, scope) => {
      openingAround(scope)?.takeFrom(name)
      return Channel.toPullScoped(self.channel, scope)
    }))
)

/**
 * The options of `mapParallel`.
 *
 * @category parallel
 * @since 0.1.0
 */
export interface ParallelOptions {
  /** The number of elements that are worked on at once: at least 1, or `"unbounded"`. */
  readonly concurrency: number | "unbounded"
  /** `false` by default: results leave in the order of their elements. With `true` they leave as soon as they are ready. */
  readonly unordered?: boolean | undefined
  /** The name in the report. */
  readonly name?: string | undefined
}

/**
 * Maps with an effect, several elements at once. The first failure fails the stream and interrupts the rest.
 *
 * **Details**
 *
 * At most 256 results wait for a slow consumer. An effect that ends at once costs no fiber of its own.
 *
 * **Gotchas**
 *
 * A `concurrency` that is not a whole number of at least 1 throws a `Cause.IllegalArgumentError`.
 *
 * @see {@link keyed} to keep the order for each key only
 * @category parallel
 * @since 0.1.0
 */
export const mapParallel: {
  <A, B, E2, R2>(
    f: (a: A) => Effect.Effect<B, E2, R2>,
    options: ParallelOptions
  ): <E, R>(self: Stream.Stream<A, E, R>) => Stream.Stream<B, E | E2, R | R2>
  <A, E, R, B, E2, R2>(
    self: Stream.Stream<A, E, R>,
    f: (a: A) => Effect.Effect<B, E2, R2>,
    options: ParallelOptions
  ): Stream.Stream<B, E | E2, R | R2>
} = operator(<A, B, E2, R2>(f: (a: A) => Effect.Effect<B, E2, R2>, options: ParallelOptions) => {
  const concurrency = concurrencyOf(options.concurrency)
  const common = { kind: "mapParallel", name: options.name, concurrency, f, input: () => new Fifo<A>() } as const
  return options.unordered === true
    ? parallel({ ...common, output: () => new Unordered<number, B, B>((chunk, result) => chunk.push(result)) })
    : parallel({ ...common, output: () => new Ordered<B>(concurrency) })
})

/**
 * The options of `keyed`.
 *
 * @category parallel
 * @since 0.1.0
 */
export interface KeyedOptions {
  /** The number of keys that are worked on at once: at least 1, or `"unbounded"`. */
  readonly concurrency: number | "unbounded"
  /** The name in the report. */
  readonly name?: string | undefined
}

/**
 * Maps with an effect, in parallel for different keys, one element after the other for each key. Results of one key leave
 * in the order of its elements. Keys are compared as in a `Map`.
 *
 * @see {@link mapParallel} for elements that do not depend on each other
 * @category parallel
 * @since 0.1.0
 */
export const keyed: {
  <A, K, B, E2, R2>(
    key: (a: A) => K,
    f: (a: A) => Effect.Effect<B, E2, R2>,
    options: KeyedOptions
  ): <E, R>(self: Stream.Stream<A, E, R>) => Stream.Stream<B, E | E2, R | R2>
  <A, E, R, K, B, E2, R2>(
    self: Stream.Stream<A, E, R>,
    key: (a: A) => K,
    f: (a: A) => Effect.Effect<B, E2, R2>,
    options: KeyedOptions
  ): Stream.Stream<B, E | E2, R | R2>
} = operator(<A, K, B, E2, R2>(key: (a: A) => K, f: (a: A) => Effect.Effect<B, E2, R2>, options: KeyedOptions) =>
  parallel({
    kind: "keyed",
    name: options.name,
    concurrency: concurrencyOf(options.concurrency),
    f,
    input: () => new Lanes(key),
    output: () => new Unordered((chunk: Array<B>, result: B) => chunk.push(result))
  })
)

/**
 * The result of one turn of a `feedback`: what leaves the loop, and what goes round again.
 *
 * @category parallel
 * @since 0.1.0
 */
export interface Turn<A, B> {
  readonly emit?: ReadonlyArray<B> | undefined
  readonly again?: ReadonlyArray<A> | undefined
}

/**
 * The options of `feedback`.
 *
 * @category parallel
 * @since 0.2.0
 */
export interface FeedbackOptions {
  /** The number of elements that are worked on at once: 1 by default, or `"unbounded"`. */
  readonly concurrency?: number | "unbounded" | undefined
  /** The name in the report. */
  readonly name?: string | undefined
}

/**
 * A loop: each element may give results, and elements that go round again. It ends when its input has ended and nothing goes
 * round any longer; that is counted, not guessed.
 *
 * @category parallel
 * @since 0.1.0
 */
export const feedback: {
  <A, B, E2, R2>(
    f: (a: A) => Effect.Effect<Turn<A, B>, E2, R2>,
    options?: FeedbackOptions
  ): <E, R>(self: Stream.Stream<A, E, R>) => Stream.Stream<B, E | E2, R | R2>
  <A, E, R, B, E2, R2>(
    self: Stream.Stream<A, E, R>,
    f: (a: A) => Effect.Effect<Turn<A, B>, E2, R2>,
    options?: FeedbackOptions
  ): Stream.Stream<B, E | E2, R | R2>
} = operator(<A, B, E2, R2>(f: (a: A) => Effect.Effect<Turn<A, B>, E2, R2>, options: FeedbackOptions = {}) => {
  const concurrency = concurrencyOf(options.concurrency ?? 1)
  return <E, R>(self: Stream.Stream<A, E, R>): Stream.Stream<B, E | E2, R | R2> =>
    Stream.suspend(() => {
      const loop = new Loop<A>()
      return parallel({
        kind: "feedback",
        name: options.name,
        concurrency,
        f,
        input: () => loop,
        output: () =>
          new Unordered((chunk: Array<B>, turn: Turn<A, B>) => {
            for (const element of turn.emit ?? []) chunk.push(element)
            loop.add(turn.again ?? [])
          })
      })(self)
    })
})

/**
 * The options of `join`.
 *
 * @category joins
 * @since 0.1.0
 */
export interface JoinOptions<L, R, K> {
  /** The key of each side, compared as in a `Map`. */
  readonly on:
    | {
      /** The key of an element of the left side. */
      readonly left: (left: L) => K
      /** The key of an element of the right side. */
      readonly right: (right: R) => K
    }
    | ((element: L | R) => K)
  /** The name in the report. */
  readonly name?: string | undefined
}

/**
 * Joins two streams: each pair of elements with the same key leaves once, as soon as both are there. It ends when both
 * inputs have ended.
 *
 * **Gotchas**
 *
 * It remembers the elements of each side until the other side has ended.
 *
 * @category joins
 * @since 0.1.0
 */
export const join: {
  <L, R, ER, RR, K>(
    right: Stream.Stream<R, ER, RR>,
    options: JoinOptions<L, R, K>
  ): <EL, RL>(left: Stream.Stream<L, EL, RL>) => Stream.Stream<readonly [L, R], EL | ER, RL | RR>
  <L, EL, RL, R, ER, RR, K>(
    left: Stream.Stream<L, EL, RL>,
    right: Stream.Stream<R, ER, RR>,
    options: JoinOptions<L, R, K>
  ): Stream.Stream<readonly [L, R], EL | ER, RL | RR>
} = dual(3, <L, EL, RL, R, ER, RR, K>(
  left: Stream.Stream<L, EL, RL>,
  right: Stream.Stream<R, ER, RR>,
  options: JoinOptions<L, R, K>
): Stream.Stream<readonly [L, R], EL | ER, RL | RR> => {
  const { on } = options
  return joinStreams(left, right, {
    name: options.name,
    left: typeof on === "function" ? on : on.left,
    right: typeof on === "function" ? on : on.right
  })
})

const concurrencyOf = (value: number | "unbounded"): number => {
  if (Number.isSafeInteger(value) && Number(value) >= 1) return Number(value)
  if (value === "unbounded" || value === Infinity) return Number.MAX_SAFE_INTEGER
  throw illegalOption("concurrency", value, "a whole number of at least 1, or \"unbounded\"")
}
