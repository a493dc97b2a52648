import { Effect } from "effect"
import type { Case, Figures } from "../case.ts"
import { runJob } from "../job.ts"
import { plain } from "../probes.ts"

const count = 500
const hanging = 5
const limit = 500

const autostop = async (): Promise<Figures> => {
  const services = plain(count, (n) => n % (count / hanging) === 0 ? Effect.never : Effect.void)
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

export default {
  title:
    `${count} plain layers of which ${hanging} hang in their release, limit ${limit} ms: from the end of the run to the report`,
  figures: { stop: "ms", released: "services", abandoned: "services" },
  variants: [{ name: "autostop", run: autostop }],
  targets: [
    { figure: "stop", is: "≤", limit: limit + 50 },
    { figure: "released", is: "=", limit: count - hanging },
    { figure: "abandoned", is: "=", limit: hanging }
  ]
} satisfies Case
