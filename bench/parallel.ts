import { Pipeline } from "autostop"
import { Effect, Stream } from "effect"
import { Readable } from "node:stream"
import { parallelMap, transform } from "streaming-iterables"
import type { Case } from "./case.ts"
import { runJob } from "./job.ts"
import { perElement } from "./measure.ts"

/** The work on each element, as each library wants it. */
export interface Work {
  readonly title: string
  readonly effect: (n: number) => Effect.Effect<number>
  readonly plain: (n: number) => number | Promise<number>
}

const elements = 100_000
const concurrency = 16

const mix = (sum: number, n: number): number => (sum + n) | 0

const expected = (() => {
  let sum = 0
  for (let n = 1; n <= elements; n++) sum = mix(sum, n + 1)
  return sum
})()

function* numbers(): Generator<number> {
  for (let n = 1; n <= elements; n++) yield n
}

const sumOf = async (results: AsyncIterable<number>): Promise<number> => {
  let sum = 0
  for await (const n of results) sum = mix(sum, n)
  return sum
}

/** Up to 16 elements at once, results in order: the same pipeline for each kind of work. */
export const parallelCase = ({ effect, plain, title }: Work): Case => ({
  title,
  figures: { time: "ns" },
  variants: [
    {
      name: "autostop",
      run: () =>
        perElement(elements, expected, async () => {
          const { value } = await runJob(
            Stream.range(1, elements).pipe(
              Pipeline.mapParallel(effect, { concurrency }),
              Stream.runFold(() => 0, mix)
            )
          )
          return value
        })
    },
    {
      name: "Effect Stream",
      run: () =>
        perElement(elements, expected, () =>
          Stream.range(1, elements).pipe(
            Stream.mapEffect(effect, { concurrency }),
            Stream.runFold(() => 0, mix),
            Effect.runPromise
          ))
    },
    {
      name: "node:stream",
      run: () => perElement(elements, expected, () => sumOf(Readable.from(numbers()).map(plain, { concurrency })))
    },
    {
      name: "streaming-iterables transform",
      run: () => perElement(elements, expected, () => sumOf(transform(concurrency, plain, numbers())))
    },
    {
      name: "streaming-iterables parallelMap",
      run: () => perElement(elements, expected, () => sumOf(parallelMap(concurrency, plain, numbers())))
    }
  ],
  targets: [
    { figure: "time", peer: "Effect Stream", is: "≤", limit: 0.2 },
    { figure: "time", peer: "node:stream", is: "<", limit: 1 },
    { figure: "time", peer: "streaming-iterables transform", is: "≤", limit: 2 }
  ]
})
