// Replicas of a service use all cores; results keep their order. Run it: `node examples/09-replicas.ts`
import { Environment, Host, Job, LocalEnvironment, Pipeline, runMain } from "autostop"
import { Console, Effect, Schema, Stream } from "effect"
import { availableParallelism } from "node:os"
import { Primes, TooLarge } from "./primes/primes.ts"

const cores = availableParallelism()
const [blocks, size] = [40, 100_000]

const job = Job.make("replicas", {
  success: Schema.Int,
  error: Schema.Union([TooLarge, Host.HostError]),
  // a call goes to the least busy replica
  services: Host.layer(Primes, { host: "thread", replicas: cores }),
  run: () =>
    Stream.range(0, blocks - 1).pipe(
      Pipeline.source("blocks"),
      Pipeline.mapParallel(
        (block) => Primes.use((primes) => primes.count({ from: block * size + 1, to: (block + 1) * size })),
        { concurrency: 2 * cores, name: "counted" } // each core has its next block waiting
      ),
      Stream.runFold(() => 0, (sum, count) => sum + count)
    )
})

export default job

const program = Effect.gen(function*() {
  const run = yield* Environment.submit(job, {})
  yield* Effect.forkScoped(
    Stream.tick("50 millis").pipe(
      Stream.mapEffect(() => run.stages),
      Stream.map((stages) => stages.find(({ name }) => name === "counted")?.count ?? 0),
      Stream.changes,
      Stream.runForEach((count) => Console.log("█".repeat(count).padEnd(blocks, "░")))
    )
  )
  const { exit, report } = yield* run.result
  yield* Console.log(`${yield* exit} primes up to ${blocks * size}`)
  for (const { name, outcome, used } of report.services) {
    if (used !== undefined) yield* Console.log(`${name}: ${used} calls, ${outcome}`)
  }
})

if (import.meta.main) runMain(program.pipe(Effect.scoped, Effect.provide(LocalEnvironment.layer)))
