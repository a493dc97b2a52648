import { Pipeline } from "autostop"
import { Effect, Stream } from "effect"
import type { Case } from "../case.ts"
import { runJob } from "../job.ts"
import { perElement } from "../measure.ts"

const elements = 200_000

const mix = (sum: number, n: number): number => (sum + n) | 0

const expected = (() => {
  let sum = 0
  for (let n = 1; n <= elements; n++) sum = mix(sum, n)
  return sum
})()

const numbers = Stream.rechunk(Stream.range(1, elements), 1)

export default {
  title: "a source whose chunks have one element, time for each",
  figures: { time: "ns" },
  variants: [
    {
      name: "autostop",
      run: () =>
        perElement(elements, expected, async () => {
          const { value } = await runJob(numbers.pipe(Pipeline.source("numbers"), Stream.runFold(() => 0, mix)))
          return value
        })
    },
    {
      name: "Effect Stream",
      run: () => perElement(elements, expected, () => numbers.pipe(Stream.runFold(() => 0, mix), Effect.runPromise))
    }
  ],
  targets: [{ figure: "time", peer: "Effect Stream", is: "≤", limit: 1.5 }]
} satisfies Case
