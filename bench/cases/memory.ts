import { Stream } from "effect"
import type { Case, Figures } from "../case.ts"
import { runJob } from "../job.ts"
import { expect } from "../measure.ts"
import { evenNumbers } from "../numbers.ts"

const peak = async (elements: number): Promise<Figures> => {
  const { value } = await runJob(Stream.runCount(evenNumbers(elements)))
  expect(value, elements / 2)
  return { peak: process.resourceUsage().maxRSS / 1_024 }
}

/**
 * The young generation, held at the size that it has after a start: left to itself V8 doubles it once, as soon as it has
 * seen so much survive, which is mostly what was loaded. That adds 32 MiB, at one moment or another, or not at all.
 */
const node = ["--max-semi-space-size=16"]

export default {
  title: "peak memory of a process, source and three stages, 100 million elements against 1 million",
  figures: { peak: "MiB" },
  node,
  variants: [
    { name: "100 M elements", run: () => peak(100_000_000) },
    { name: "1 M elements", run: () => peak(1_000_000) }
  ],
  targets: [{ figure: "peak", peer: "1 M elements", is: "≤", limit: 1.1 }]
} satisfies Case
