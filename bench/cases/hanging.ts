import { Effect } from "effect"
import type { Case, Figures } from "../case.ts"
import { runJob } from "../job.ts"
import { managed } from "../probes.ts"

const count = 1_000
const hanging = 10
const budget = 500

const autostop = async (): Promise<Figures> => {
  const services = managed(count, (n) => n % (count / hanging) === 0 ? Effect.never : Effect.void, `${budget}ms`)
  let since = 0
  const { report } = await runJob(Effect.sync(() => void (since = performance.now())), { services })
  const stop = performance.now() - since
  const outcomes = report.services.map((service) => service.outcome)
  return {
    stop,
    released: outcomes.filter((outcome) => outcome === "released").length,
    abandoned: outcomes.filter((outcome) => outcome === "abandoned").length
  }
}

export default {
  title:
    `${count} services of which ${hanging} hang in their release, limit ${budget} ms: from the end of the run to the report`,
  figures: { stop: "ms", released: "services", abandoned: "services" },
  variants: [{ name: "autostop", run: autostop }],
  targets: [
    { figure: "stop", is: "≤", limit: budget + 50 },
    { figure: "released", is: "=", limit: count - hanging },
    { figure: "abandoned", is: "=", limit: hanging }
  ]
} satisfies Case
