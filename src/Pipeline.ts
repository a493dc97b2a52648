/**
 * Operators on `Stream`: named counters, sources that can be drained, and parallel work in which nothing is lost.
 * Everything else is Stream's own. Outside of a job the operators do the same work and count nothing.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { illegalOption } from "./base/illegalOption.ts"
import { CurrentStages } from "./internal/pipeline/currentStages.ts"
import { DrainGate } from "./internal/pipeline/drainGate.ts"
import { joinStreams } from "./internal/pipeline/hashJoin.ts"
import { Fifo, Lanes, Loop } from "./internal/pipeline/inputQueues.ts"
import { Ordered, Unordered } from "./internal/pipeline/outputBuffers.ts"
import type { StageCounters } from "./internal/pipeline/stageCounters.ts"
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
 * Marks where elements enter a job. When a drain is asked for, the stream ends here: what it had emitted flows on to the
 * sinks, and nothing new begins. Counts what it emits; a job stops as idle if no source has emitted for a while.
 *
 * **Details**
 *
 * A pull that is under way when the drain begins is interrupted; what it hands over nevertheless is emitted. A pipeline that
 * never waits lets the event loop turn here every 10 ms, so that signals and limits are seen.
 *
 * @category sources
 * @since 0.1.0
 */
export const source: {
  (name: string): <A, E, R>(self: Stream.Stream<A, E, R>) => Stream.Stream<A, E, R>
  <A, E, R>(self: Stream.Stream<A, E, R>, name: string): Stream.Stream<A, E, R>
} = dual(
  2,
  <A, E, R>(self: Stream.Stream<A, E, R>, name: string): Stream.Stream<A, E, R> =>
    Stream.transformPull(self, (pull, scope) =>
      Effect.withFiber((fiber) => {
        const stages = fiber.getRef(CurrentStages)
        if (stages === undefined) return Effect.succeed(pull)
        const gate = new DrainGate(stages, stages.stage("source", name), pull)
        return Scope.addFinalizer(scope, gate.close).pipe(
          Effect.andThen(beginFlow(stages, rootOf(scope))),
          Effect.as(gate.pull)
        )
      }))
)

/** Counts a stream as flowing until it is over, however many sources it has. */
const beginFlow = (stages: StageCounters, root: Scope.Scope): Effect.Effect<void> =>
  stages.begin(root) ? Scope.addFinalizer(root, Effect.sync(() => stages.end(root))) : Effect.void

/** Returns the scope in which the stream runs: a merge or a flatMap gives each of its streams a scope within it. */
const rootOf = (scope: Scope.Scope): Scope.Scope => scope.parent === undefined ? scope : rootOf(scope.parent)

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
  <A, E, R>(self: Stream.Stream<A, E, R>, name: string): Stream.Stream<A, E, R> =>
    Stream.transformPull(self, (pull) =>
      Effect.withFiber((fiber) => {
        const stage = fiber.getRef(CurrentStages)?.stage("stage", name)
        return Effect.succeed(
          stage === undefined ? pull : Effect.map(pull, (chunk) => {
            stage.count += chunk.length
            return chunk
          })
        )
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
