import { Pipeline } from "autostop"
import { Effect, Stream } from "effect"
import type { Case, Figures } from "../case.ts"
import { runJob } from "../job.ts"
import { quantile } from "../measure.ts"
import { managed, plain } from "../probes.ts"

const elements = 100
const warmUp = 200
const times = 2_000

/** Many times: from when the sink has seen the last element until everything has ended. */
const figures = async (once: (sink: (n: number) => Effect.Effect<void>) => Promise<unknown>): Promise<Figures> => {
  let last = 0
  const sink = (n: number) =>
    Effect.sync(() => {
      if (n === elements) last = performance.now()
    })
  const taken: Array<number> = []
  for (let n = 0; n < warmUp + times; n++) {
    await once(sink)
    taken.push(performance.now() - last)
  }
  const warm = taken.slice(warmUp)
  return { p50: quantile(warm, 0.5), p99: quantile(warm, 0.99), first: taken[0] ?? Number.NaN }
}

const autostop = (): Promise<Figures> => {
  const services = managed(3, () => Effect.void)
  return figures((sink) =>
    runJob(
      Stream.range(1, elements).pipe(
        Pipeline.source("numbers"),
        Pipeline.stage("read"),
        Stream.runForEach(sink)
      ),
      { services }
    )
  )
}

const layers = (): Promise<Figures> => {
  const services = plain(3, () => Effect.void)
  return figures((sink) =>
    Stream.range(1, elements).pipe(Stream.runForEach(sink), Effect.provide(services), Effect.runPromise)
  )
}

export default {
  title: "from the last element to the report, with three services",
  figures: { p50: "ms", p99: "ms", first: "ms" },
  variants: [
    { name: "autostop", run: autostop },
    { name: "Effect Layers", run: layers }
  ],
  targets: [
    { figure: "p50", is: "≤", limit: 1 },
    { figure: "p50", peer: "Effect Layers", is: "≤", limit: 4 }
  ]
} satisfies Case
