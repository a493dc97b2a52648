// A service in a process of its own, called as if it were here. Run it: `node examples/08-service-in-a-process.ts`
import { Environment, Host, Job, LocalEnvironment, runMain, StopReport } from "autostop"
import { Console, Effect, Schema, Stream } from "effect"
import { Primes, TooLarge } from "./primes/primes.ts"

const job = Job.make("primes", {
  error: Schema.Union([TooLarge, Host.HostError]),
  // "thread" or "local" work as well; without `host`, AUTOSTOP_HOST decides
  services: Host.layer(Primes, { host: "process", stop: { timeout: "2 seconds" } }),
  run: () =>
    Effect.gen(function*() {
      const primes = yield* Primes
      const count = yield* primes.count({ from: 1, to: 1_000_000 })
      yield* Console.log(`${count} primes up to a million`)

      // a stream comes a chunk at a time, and ends in the host once its reader has enough
      const first = yield* primes.list({ from: 1, to: 1_000_000 }).pipe(Stream.take(10), Stream.runCollect)
      yield* Console.log(`the first: ${first.join(" ")}`)

      // an error keeps its type
      yield* primes.count({ from: 1, to: 1_000_000_000 }).pipe(
        Effect.catchTag("TooLarge", ({ limit }) => Console.log(`a billion is too large: ${limit} is the limit`))
      )
    })
})

export default job

const program = Effect.gen(function*() {
  yield* Console.log(`this is process ${process.pid}`)
  const run = yield* Environment.submit(job, {})
  const { exit, report } = yield* run.result
  yield* Console.log(StopReport.render(report))
  yield* exit
})

if (import.meta.main) runMain(program.pipe(Effect.scoped, Effect.provide(LocalEnvironment.layer)))
