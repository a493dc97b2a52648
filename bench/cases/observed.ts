import { Observability } from "autostop"
import { Layer, Stream } from "effect"
import type { Case } from "../case.ts"
import { runJob } from "../job.ts"
import { timed } from "../measure.ts"
import { evenNumbers } from "../numbers.ts"

const elements = 10_000_000

/** A source and three stages, which count each element. */
const time = (observability: Layer.Layer<never>) =>
  timed({ warmUp: 2, times: 5 }, elements / 2, async () => {
    const { value } = await runJob(
      Stream.runCount(evenNumbers(elements)),
      { observability }
    )
    return value
  })

export default {
  title: "a source and three stages with metrics and spans, 10 million elements",
  figures: { time: "ms" },
  variants: [
    { name: "observed", run: async () => ({ time: await time(Observability.layer) }) },
    { name: "not observed", run: async () => ({ time: await time(Layer.empty) }) }
  ],
  targets: [{ figure: "time", peer: "not observed", is: "≤", limit: 1.05 }]
} satisfies Case
