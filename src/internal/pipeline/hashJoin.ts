import * as Channel from "effect/Channel"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { stagesHere, stagesOf } from "./currentStages.ts"
import { Opening } from "./opening.ts"
import { stageOf } from "./stageCounters.ts"

interface Side<Own, Key> {
  readonly key: (element: Own) => Key
  readonly seen: Map<Key, Array<Own>>
  ended: boolean
}

type Input<L, R> =
  | { readonly side: "left"; readonly elements: ReadonlyArray<L> | undefined }
  | { readonly side: "right"; readonly elements: ReadonlyArray<R> | undefined }

/** A symmetric hash join. The end of a side follows its elements through the merge, so that nothing is forgotten too early. */
export const joinStreams = <L, EL, RL, R, ER, RR, K>(
  leftStream: Stream.Stream<L, EL, RL>,
  rightStream: Stream.Stream<R, ER, RR>,
  options: { readonly name: string | undefined; readonly left: (left: L) => K; readonly right: (right: R) => K }
): Stream.Stream<readonly [L, R], EL | ER, RL | RR> => {
  const made = stagesHere()
  return Stream.fromChannel(Channel.fromTransform((_: unknown, scope) =>
    Effect.withFiber((fiber) => {
      const stages = stagesOf(fiber, made)
      const stage = stageOf(stages, "join", options.name)
      const opening = stages === undefined ? undefined : new Opening(stages, scope)
      opening?.become(stage)
      const left: Side<L, K> = { key: options.left, seen: new Map(), ended: false }
      const right: Side<R, K> = { key: options.right, seen: new Map(), ended: false }
      let taken = 0
      let joined = 0
      const holder = { stage, held: () => taken - joined }
      stages?.addHolder(holder)

      const chunksOf = <A, E, R>(stream: Stream.Stream<A, E, R>) =>
        Stream.concat(
          Stream.map(Stream.chunks(stream), (chunk): ReadonlyArray<A> | undefined => {
            taken += chunk.length
            return chunk
          }),
          Stream.succeed(undefined)
        )

      const pairs = Stream.merge(
        Stream.map(chunksOf(leftStream), (elements): Input<L, R> => ({ side: "left", elements })),
        Stream.map(chunksOf(rightStream), (elements): Input<L, R> => ({ side: "right", elements }))
      ).pipe(
        Stream.map((input) => {
          const pairs: Array<readonly [L, R]> = []
          if (input.side === "left") take(input.elements, left, right, (own, other) => pairs.push([own, other]))
          else take(input.elements, right, left, (own, other) => pairs.push([other, own]))
          joined += input.elements?.length ?? 0
          stage.count += pairs.length
          return pairs
        }),
        Stream.flattenIterable,
        Stream.ensuring(Effect.sync(() => stages?.removeHolder(holder)))
      )
      return opening === undefined
        ? Channel.toPullScoped(pairs.channel, scope)
        : Effect.flatMap(opening.open(pairs), (pull) => opening.timed(pull))
    })
  ))
}

const take = <Own, Other, Key>(
  elements: ReadonlyArray<Own> | undefined,
  own: Side<Own, Key>,
  other: Side<Other, Key>,
  pair: (own: Own, other: Other) => void
): void => {
  if (elements === undefined) {
    own.ended = true
    other.seen.clear()
    return
  }
  for (const element of elements) {
    const key = own.key(element)
    for (const match of other.seen.get(key) ?? []) pair(element, match)
    if (other.ended) continue
    const seen = own.seen.get(key)
    if (seen === undefined) own.seen.set(key, [element])
    else seen.push(element)
  }
}
