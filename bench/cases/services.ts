import { Effect, Exit, Layer, Scope } from "effect"
import type { Case, Figures } from "../case.ts"
import { runJob } from "../job.ts"
import { expect, heapUsed, median } from "../measure.ts"
import { managed, plain } from "../probes.ts"

const count = 10_000
const warmUp = 3
const times = 7

let released = 0
const finalizer = () => Effect.sync(() => void released++)

/** Starts all of them, does something while all are up, and stops all of them. */
type Cycle = (whileUp: Effect.Effect<void>) => Promise<unknown>

/** Time first, then once more for the memory, so that a collection does not stand between start and stop. */
const figures = async (cycle: Cycle): Promise<Figures> => {
  const taken: Array<number> = []
  for (let n = 0; n < warmUp + times; n++) {
    released = 0
    const since = performance.now()
    await cycle(Effect.void)
    if (n >= warmUp) taken.push(performance.now() - since)
    expect(released, count)
  }
  const before = await heapUsed()
  let up = 0
  await cycle(Effect.promise(async () => void (up = await heapUsed())))
  return { time: median(taken), memory: (up - before) / count }
}

export const autostop = (make: typeof plain): Promise<Figures> => {
  const services = make(count, finalizer)
  return figures(async (whileUp) => {
    const { report } = await runJob(whileUp, { services })
    expect(report.services.filter((service) => service.outcome === "released").length, count)
  })
}

export const layers = (): Promise<Figures> => {
  const services = plain(count, finalizer)
  return figures((whileUp) =>
    Effect.runPromise(Effect.gen(function*() {
      const scope = yield* Scope.make()
      yield* Layer.buildWithScope(services, scope)
      yield* whileUp
      yield* Scope.close(scope, Exit.void)
    }))
  )
}

export default {
  title: "10,000 services started and stopped, and the memory of each while all are up",
  figures: { time: "ms", memory: "bytes" },
  variants: [
    { name: "autostop", run: () => autostop(managed) },
    { name: "Effect Layers", run: layers }
  ],
  targets: [
    { figure: "time", peer: "Effect Layers", is: "≤", limit: 1.5 },
    { figure: "memory", peer: "Effect Layers", is: "≤", limit: 1.3 }
  ]
} satisfies Case
