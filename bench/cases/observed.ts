import { Observability, Pipeline } from "autostop"
import { Layer, Stream } from "effect"
import type { Case } from "../case.ts"
import { runJob } from "../job.ts"
import { timed } from "../measure.ts"

const elements = 10_000_000

/** A source and three stages, which count each element. */
const time = (observability: Layer.Layer<never>) =>
  timed({ warmUp: 2, times: 5 }, elements / 2, async () => {
    const { value } = await runJob(
      Stream.range(1, elements).pipe(
        Pipeline.source("numbers"),
        Pipeline.stage("read"),
        Stream.map((n) => n + 1),
        Pipeline.stage("mapped"),
        Stream.filter((n) => n % 2 === 0),
        Pipeline.stage("filtered"),
        Stream.runCount
      ),
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
