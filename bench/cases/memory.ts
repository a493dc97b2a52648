import { Pipeline } from "autostop"
import { Stream } from "effect"
import type { Case, Figures } from "../case.ts"
import { runJob } from "../job.ts"
import { expect } from "../measure.ts"

const peak = async (elements: number): Promise<Figures> => {
  const { value } = await runJob(
    Stream.range(1, elements).pipe(
      Pipeline.source("numbers"),
      Pipeline.stage("read"),
      Stream.map((n) => n + 1),
      Pipeline.stage("mapped"),
      Stream.filter((n) => n % 2 === 0),
      Pipeline.stage("filtered"),
      Stream.runCount
    )
  )
  expect(value, elements / 2)
  return { peak: process.resourceUsage().maxRSS / 1_024 }
}

export default {
  title: "peak memory of a process, source and three stages, 100 million elements against 1 million",
  figures: { peak: "MiB" },
  variants: [
    { name: "100 M elements", run: () => peak(100_000_000) },
    { name: "1 M elements", run: () => peak(1_000_000) }
  ],
  targets: [{ figure: "peak", peer: "1 M elements", is: "≤", limit: 1.1 }]
} satisfies Case
