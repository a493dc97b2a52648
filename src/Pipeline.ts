/**
 * Operators on `Stream`: named counters, sources that can be drained, and parallel work in which nothing is lost.
 * Everything else is Stream's own. Outside of a job they do the same work and count nothing.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { CurrentRun } from "./internal/run/currentRun.ts"
import { Gate } from "./internal/pipeline/drainGate.ts"
import { joinStreams } from "./internal/pipeline/hashJoin.ts"
import { Fifo, Lanes, Loop } from "./internal/pipeline/inputQueues.ts"
import { AsTheyCome, Ordered } from "./internal/pipeline/outputBuffers.ts"
import { parallel } from "./internal/pipeline/workerPool.ts"
import type { Stages } from "./internal/pipeline/stageCounters.ts"
import { PolicyError } from "./StopPolicy.ts"

/**
 * Marks where elements enter a job. When a drain is asked for, the stream ends here: what it had emitted flows on to
 * the sinks, and nothing new begins. Counts what it emits; a job stops as idle when no source has emitted for a while.
 *
 * *Details*: a pull that is under way when the drain begins is interrupted; what it hands over all the same is emitted.
 * A pipeline that never waits gives the event loop a turn here every 10 ms, so that signals and limits are seen.
 *
 * @category sources
 * @since 0.1.0
 */
export const source = (name: string) => <A, E, R>(self: Stream.Stream<A, E, R>): Stream.Stream<A, E, R> =>
  Stream.transformPull(self, (pull, scope) =>
    Effect.withFiber((fiber) => {
      const stages = fiber.getRef(CurrentRun)?.stages
      if (stages === undefined) return Effect.succeed(pull)
      const gate = new Gate(stages, stages.stage("source", name), pull)
      return Scope.addFinalizer(scope, gate.close).pipe(
        Effect.andThen(flowIn(stages, rootOf(scope))),
        Effect.as(gate.pull)
      )
    }))

/** A stream flows until it is over, however many sources it has had. */
const flowIn = (stages: Stages, root: Scope.Scope): Effect.Effect<void> =>
  stages.begin(root) ? Scope.addFinalizer(root, Effect.sync(() => stages.end(root))) : Effect.void

/** The scope of whoever runs the stream: a merge or a flatMap gives each of its streams a scope within it. */
const rootOf = (scope: Scope.Scope): Scope.Scope => scope.parent === undefined ? scope : rootOf(scope.parent)

/**
 * Counts what passes, by chunk.
 *
 * @category counters
 * @since 0.1.0
 */
export const stage = (name: string) => <A, E, R>(self: Stream.Stream<A, E, R>): Stream.Stream<A, E, R> =>
  Stream.transformPull(self, (pull) =>
    Effect.withFiber((fiber) => {
      const stage = fiber.getRef(CurrentRun)?.stages.stage("stage", name)
      return Effect.succeed(
        stage === undefined ? pull : Effect.map(pull, (chunk) => {
          stage.count += chunk.length
          return chunk
        })
      )
    }))

/**
 * @category parallel
 * @since 0.1.0
 */
export interface ParallelOptions {
  /** How many elements are worked on at once; at least 1. */
  readonly concurrency: number
  /** `true` by default: results leave in the order in which their elements came. */
  readonly ordered?: boolean | undefined
  /** The name in the report. */
  readonly name?: string | undefined
}

/**
 * Maps with an effect, several elements at once. The first failure fails the stream and interrupts the rest.
 *
 * *Details*: at most 256 results wait for a slow consumer. An effect that ends at once costs no fiber of its own.
 *
 * @category parallel
 * @since 0.1.0
 */
export const mapParallel = <A, B, E2, R2>(
  f: (a: A) => Effect.Effect<B, E2, R2>,
  options: ParallelOptions
): <E, R>(self: Stream.Stream<A, E, R>) => Stream.Stream<B, E | E2, R | R2> => {
  const concurrency = atLeastOne("concurrency", options.concurrency)
  const common = { kind: "mapParallel", name: options.name, concurrency, f, intake: () => new Fifo<A>() } as const
  return options.ordered === false
    ? parallel({ ...common, outlet: () => new AsTheyCome<number, B, B>((chunk, result) => chunk.push(result)) })
    : parallel({ ...common, outlet: () => new Ordered<B>(concurrency) })
}

/**
 * @category parallel
 * @since 0.1.0
 */
export interface KeyedOptions {
  /** How many keys are worked on at once; at least 1. */
  readonly parallelism: number
  /** The name in the report. */
  readonly name?: string | undefined
}

/**
 * Maps with an effect, in parallel for different keys, one after the other for each key. Results of one key leave in
 * the order of its elements. Keys are compared as in a `Map`.
 *
 * @category parallel
 * @since 0.1.0
 */
export const keyed = <A, K, B, E2, R2>(
  key: (a: A) => K,
  f: (a: A) => Effect.Effect<B, E2, R2>,
  options: KeyedOptions
): <E, R>(self: Stream.Stream<A, E, R>) => Stream.Stream<B, E | E2, R | R2> =>
  parallel({
    kind: "keyed",
    name: options.name,
    concurrency: atLeastOne("parallelism", options.parallelism),
    f,
    intake: () => new Lanes(key),
    outlet: () => new AsTheyCome((chunk: Array<B>, result: B) => chunk.push(result))
  })

/**
 * What one turn of a `feedback` gives: what leaves the loop, and what goes round again.
 *
 * @category parallel
 * @since 0.1.0
 */
export interface Turn<A, B> {
  readonly emit?: ReadonlyArray<B> | undefined
  readonly again?: ReadonlyArray<A> | undefined
}

/**
 * A loop: each element may give results and elements that go round again. It ends when its input has ended and nothing
 * goes round any longer; that is counted, not guessed.
 *
 * @category parallel
 * @since 0.1.0
 */
export const feedback = <A, B, E2, R2>(
  f: (a: A) => Effect.Effect<Turn<A, B>, E2, R2>,
  options: { readonly concurrency?: number | undefined; readonly name?: string | undefined } = {}
) => {
  const concurrency = atLeastOne("concurrency", options.concurrency ?? 1)
  return <E, R>(self: Stream.Stream<A, E, R>): Stream.Stream<B, E | E2, R | R2> =>
    Stream.suspend(() => {
      const loop = new Loop<A>()
      return parallel({
        kind: "feedback",
        name: options.name,
        concurrency,
        f,
        intake: () => loop,
        outlet: () =>
          new AsTheyCome((chunk: Array<B>, turn: Turn<A, B>) => {
            for (const element of turn.emit ?? []) chunk.push(element)
            loop.add(turn.again ?? [])
          })
      })(self)
    })
}

/**
 * @category joins
 * @since 0.1.0
 */
export interface JoinOptions<L, R, K> {
  /** The key of each side, compared as in a `Map`. */
  readonly on: { readonly left: (left: L) => K; readonly right: (right: R) => K } | ((element: L | R) => K)
  /** The name in the report. */
  readonly name?: string | undefined
}

/**
 * Joins two streams: each pair of elements with the same key leaves once, as soon as both are there. It ends when both
 * inputs have ended.
 *
 * *Gotchas*: it remembers the elements of each side until the other side has ended.
 *
 * @category joins
 * @since 0.1.0
 */
export const join = <L, EL, RL, R, ER, RR, K>(
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
}

const atLeastOne = (option: string, value: number): number => {
  if (Number.isSafeInteger(value) && value >= 1) return value
  if (value === Infinity) return Number.MAX_SAFE_INTEGER
  throw PolicyError.of(option, value, "a whole number of at least 1")
}
