import { Host } from "autostop"
import { Effect, Layer } from "effect"
import { execFileSync } from "node:child_process"
import type { Case, Figures } from "../case.ts"
import { Stubborn, Willing } from "../hosts/services.ts"
import { runJob } from "../job.ts"

const count = 20
const stubborn = 5
const limit = 500

const hosts = Array.from({ length: count }, (_, n): Layer.Layer<never> => {
  const options: Host.Options = { name: `host-${n}`, host: "process", stop: { timeout: `${limit}ms` } }
  return n < stubborn
    ? Layer.orDie(Layer.provide(Layer.empty, Host.layer(Stubborn, options)))
    : Layer.orDie(Layer.provide(Layer.empty, Host.layer(Willing, options)))
})

/** The processes of these groups that have not ended. */
const processesOf = (groups: ReadonlySet<number>): ReadonlyArray<string> =>
  execFileSync("ps", ["-A", "-o", "pgid=,stat="], { encoding: "utf8" }).split("\n").filter((line) => {
    const [group, state = ""] = line.trim().split(/ +/)
    return groups.has(Number(group)) && !state.startsWith("Z")
  })

const autostop = async (): Promise<Figures> => {
  let since = 0
  const services = hosts.reduce((all, one) => Layer.merge(all, one))
  const { report } = await runJob(Effect.sync(() => void (since = performance.now())), { services })
  const stop = performance.now() - since
  const own = report.services.filter((service) => service.pid !== undefined)
  return {
    stop,
    released: own.filter((service) => service.outcome === "released").length,
    killed: own.filter((service) => service.outcome === "killed").length,
    left: processesOf(new Set(own.map(({ pid = 0 }) => pid))).length
  }
}

export default {
  title: `${count} services in processes of which ${stubborn} ignore SIGTERM and hang in their release, ` +
    `limit ${limit} ms: from the end of the run to the report`,
  figures: { stop: "ms", released: "services", killed: "services", left: "processes" },
  variants: [{ name: "autostop", run: autostop }],
  targets: [
    { figure: "stop", is: "≤", limit: limit + 300 },
    { figure: "released", is: "=", limit: count - stubborn },
    { figure: "killed", is: "=", limit: stubborn },
    { figure: "left", is: "=", limit: 0 }
  ]
} satisfies Case
