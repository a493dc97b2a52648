import { Pipeline } from "autostop"
import { Effect, Stream } from "effect"
import * as rx from "rxjs"
import type { Case } from "../case.ts"
import { runJob } from "../job.ts"
import { timed } from "../measure.ts"

const elements = 10_000_000

const increment = (n: number): number => n + 1
const isEven = (n: number): boolean => n % 2 === 0
/** A sink that looks at every element, and whose result tells whether all of them came. */
const mix = (sum: number, n: number): number => (sum + n) | 0

const expected = (() => {
  let sum = 0
  for (let n = 1; n <= elements; n++) if (isEven(increment(n))) sum = mix(sum, increment(n))
  return sum
})()

const repeats = { warmUp: 2, times: 3 }

const autostop = () =>
  timed(repeats, expected, async () => {
    const { value } = await runJob(
      Stream.range(1, elements).pipe(
        Pipeline.source("numbers"),
        Pipeline.stage("read"),
        Stream.map(increment),
        Pipeline.stage("mapped"),
        Stream.filter(isEven),
        Pipeline.stage("filtered"),
        Stream.runFold(() => 0, mix)
      )
    )
    return value
  })

const effectStream = () =>
  timed(repeats, expected, () =>
    Stream.range(1, elements).pipe(
      Stream.map(increment),
      Stream.filter(isEven),
      Stream.runFold(() => 0, mix),
      Effect.runPromise
    ))

const rxjs = () =>
  timed(repeats, expected, () =>
    rx.firstValueFrom(
      rx.range(1, elements).pipe(rx.map(increment), rx.filter(isEven), rx.reduce(mix, 0))
    ))

async function* range(from: number, to: number) {
  for (let n = from; n <= to; n++) yield n
}
async function* map(self: AsyncIterable<number>) {
  for await (const n of self) yield increment(n)
}
async function* filter(self: AsyncIterable<number>) {
  for await (const n of self) if (isEven(n)) yield n
}

const asyncGenerators = () =>
  timed({ warmUp: 1, times: 1 }, expected, async () => {
    let sum = 0
    for await (const n of filter(map(range(1, elements)))) sum = mix(sum, n)
    return sum
  })

export default {
  title: "map and filter, with a source and three stages, 10 million elements",
  figures: { time: "ms" },
  variants: [
    { name: "autostop", run: async () => ({ time: await autostop() }) },
    { name: "Effect Stream", run: async () => ({ time: await effectStream() }) },
    { name: "rxjs", run: async () => ({ time: await rxjs() }) },
    { name: "async generators", run: async () => ({ time: await asyncGenerators() }) }
  ],
  targets: [
    { figure: "time", peer: "Effect Stream", is: "≤", limit: 1.2 },
    { figure: "time", peer: "rxjs", is: "<", limit: 1 },
    { figure: "time", peer: "async generators", is: "<", limit: 0.2 }
  ]
} satisfies Case
