import { Pipeline } from "autostop"
import { Effect, Stream } from "effect"
import * as rx from "rxjs"
import type { Case } from "../case.ts"
import { runJob } from "../job.ts"
import { perElement } from "../measure.ts"

const elements = 100_000
const keys = 1_000

const keyOf = (n: number): number => n % keys
const work = (n: number): Effect.Effect<number> => Effect.succeed(n + 1)

export default {
  title: "in order for each of 1,000 keys, time for each of 100,000 elements (the peers work on all keys at once)",
  figures: { time: "ns" },
  variants: [
    {
      name: "autostop",
      run: () =>
        perElement(elements, elements, async () => {
          const { value } = await runJob(
            Stream.range(1, elements).pipe(Pipeline.keyed(keyOf, work, { concurrency: 16 }), Stream.runCount)
          )
          return value
        })
    },
    {
      name: "Effect Stream",
      run: () =>
        perElement(elements, elements, () =>
          Stream.range(1, elements).pipe(
            Stream.groupByKey(keyOf),
            Stream.flatMap(([, group]) => Stream.mapEffect(group, work), { concurrency: "unbounded" }),
            Stream.runCount,
            Effect.runPromise
          ))
    },
    {
      name: "rxjs",
      run: () =>
        perElement(elements, elements, () =>
          rx.firstValueFrom(
            rx.range(1, elements).pipe(
              rx.groupBy(keyOf),
              rx.mergeMap((group) => group.pipe(rx.concatMap((n) => Promise.resolve(n + 1)))),
              rx.count()
            )
          ))
    }
  ],
  targets: []
} satisfies Case
