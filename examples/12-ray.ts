// The flights job, with its computing service on a Ray cluster: only a setting changes. Run it, on a cluster that this
// command starts and stops, or on the one that AUTOSTOP_RAY_ADDRESS and AUTOSTOP_RAY_TOKEN name:
//
//     node scripts/ray/with.ts node examples/12-ray.ts
import { Environment, LocalEnvironment, runMain } from "autostop"
import { ConfigProvider, Console, Effect } from "effect"
import { mkdtempSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { dataset } from "./flights/datasets.ts"
import flights from "./flights/flights.ts"

const payload = {
  path: dataset("flights-20k.json"),
  database: join(mkdtempSync(join(tmpdir(), "autostop-12-")), "flights.sqlite"),
  format: "json",
  minFlights: 20
} as const

const program = Effect.gen(function*() {
  const run = yield* Environment.submit(flights, payload, { autostop: true })
  const { exit, report } = yield* run.result
  const { worstRoutes } = yield* exit
  for (const { destinationCity, interval, meanDelay, originCity } of worstRoutes.slice(0, 3)) {
    const range = `${interval.low.toFixed(1)} to ${interval.high.toFixed(1)}`
    yield* Console.log(`${originCity} to ${destinationCity}: ${meanDelay.toFixed(1)} minutes late (${range})`)
  }

  // each actor was cleaned up, then killed, and Ray says that it is DEAD
  for (const { actorId, cleanupSuccess, host, killSuccess, name, outcome, used = 0 } of report.services) {
    if (host !== "ray") continue
    yield* Console.log(
      actorId === undefined
        ? `${name}: ${used} calls, ${outcome}`
        : `${name}: ${used} calls, ${outcome}, actor ${actorId}, cleaned ${cleanupSuccess}, killed ${killSuccess}`
    )
  }
  yield* Console.log(report.clean ? "clean" : "NOT CLEAN")
})

// the same as AUTOSTOP_HOST_FLIGHTS_INTERVALS=ray
const onRay = ConfigProvider.fromEnv({ env: { ...process.env, AUTOSTOP_HOST_FLIGHTS_INTERVALS: "ray" } })

if (import.meta.main) {
  runMain(
    program.pipe(
      Effect.scoped,
      Effect.provide(LocalEnvironment.layer),
      Effect.provideService(ConfigProvider.ConfigProvider, onRay)
    )
  )
}
