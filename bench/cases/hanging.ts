import { Effect, type Layer } from "effect"
import type { Case, Figures } from "../case.ts"
import { runJob } from "../job.ts"
import { managed, type Probe } from "../probes.ts"

const limit = 500

/** Services of which some hang: the rest is released, and the report comes once the limit has passed. */
export const hangingCase = (
  { count, hanging, make, what }: {
    readonly what: string
    readonly count: number
    readonly hanging: number
    readonly make: (
      count: number,
      finalizer: (n: number) => Effect.Effect<void>,
      timeout: `${number}ms`
    ) => Layer.Layer<Probe>
  }
): Case => ({
  title:
    `${count} ${what} of which ${hanging} hang in their release, limit ${limit} ms: from the end of the run to the report`,
  figures: { stop: "ms", released: "services", abandoned: "services" },
  variants: [{
    name: "autostop",
    run: async (): Promise<Figures> => {
      const finalizer = (n: number) => n % (count / hanging) === 0 ? Effect.never : Effect.void
      const services = make(count, finalizer, `${limit}ms`)
      let since = 0
      const run = Effect.sync(() => void (since = performance.now()))
      const { report } = await runJob(run, { services, stopPolicy: { releaseTimeout: `${limit}ms` } })
      const stop = performance.now() - since
      const outcomes = report.services.map((service) => service.outcome)
      return {
        stop,
        released: outcomes.filter((outcome) => outcome === "released").length,
        abandoned: outcomes.filter((outcome) => outcome === "abandoned").length
      }
    }
  }],
  targets: [
    { figure: "stop", is: "≤", limit: limit + 50 },
    { figure: "released", is: "=", limit: count - hanging },
    { figure: "abandoned", is: "=", limit: hanging }
  ]
})

export default hangingCase({ what: "services", count: 1_000, hanging: 10, make: managed })
