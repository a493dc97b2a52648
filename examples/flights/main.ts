// Loads flights into out/flights.sqlite and shows the worst routes:
//
//     node examples/flights/main.ts              20,000 flights from JSON
//     node examples/flights/main.ts --parquet    3,000,000 flights from Parquet
//
// Ctrl-C at any time: what was read is written, the services are released, and the report says so.
import { Environment, LocalEnvironment, runMain, StopReport } from "autostop"
import { Console, Effect, Exit } from "effect"
import { fileURLToPath } from "node:url"
import { dataset } from "./datasets.ts"
import flights from "./flights.ts"
import { follow } from "./progress.ts"
import * as worst from "./worst.ts"

const database = fileURLToPath(new URL("../../out/flights.sqlite", import.meta.url))

const payload = process.argv.includes("--parquet")
  ? { path: dataset("flights-3m.parquet"), database, format: "parquet", minFlights: 200 } as const
  : { path: dataset("flights-20k.json"), database, format: "json", minFlights: 20 } as const

const program = Effect.gen(function*() {
  const run = yield* Environment.submit(flights, payload, { autostop: true })
  yield* follow(run)
  const { exit, report } = yield* run.result
  if (Exit.isSuccess(exit)) yield* Console.log(`${worst.render(exit.value)}\n`)
  yield* Console.log(StopReport.render(report))
  return yield* exit
})

runMain(program.pipe(Effect.scoped, Effect.provide(LocalEnvironment.layer)))
