// Runs a job for each crash that its first argument lists as JSON, and prints a line of JSON about each.
import { Cause, Deferred, Effect, Fiber, Stream } from "effect"
import {
  Environment,
  Host,
  Job,
  type JobEvent,
  LocalEnvironment,
  runMain,
  type StopReport
} from "../../../src/index.ts"
import { type Crash, Crashing, crashing } from "./crash.ts"

export interface Orders {
  readonly host: Host.HostKind
  readonly crashes: ReadonlyArray<Crash>
  /** A host that was lost is replaced. */
  readonly restarts: boolean
}

/** What became of one job. */
export interface Crashed {
  readonly crash: Crash
  readonly error:
    | { readonly _tag: string | undefined; readonly phase: string | undefined; readonly text: string }
    | undefined
  /** How the call in flight ended. */
  readonly call: { readonly reason: string | undefined; readonly text: string } | undefined
  readonly events: ReadonlyArray<JobEvent["_tag"]>
  readonly report: StopReport
}

// safe: it is only started by tests, with the JSON of such an object
const { crashes, host, restarts } = JSON.parse(process.argv[2] ?? "") as Orders

const told = (cause: Cause.Cause<unknown>) => {
  const error = Cause.squash(cause)
  // safe: only fields that may be missing are read
  const { _tag, phase, reason } = error as { _tag?: string; phase?: string; reason?: string }
  return { _tag, phase, reason, text: error instanceof Error ? error.message : String(error) }
}

/** Takes the answer of a host even if the job is interrupted because of the same crash. In process nothing else ends the call. */
const answered = host === "local" ? <A, E>(call: Effect.Effect<A, E>) => call : Effect.uninterruptible

const runOne = (crash: Crash) =>
  Effect.gen(function*() {
    const called = Deferred.makeUnsafe<ReturnType<typeof told>>()
    const job = Job.make("crash", {
      services: Host.layer(crashing(crash), {
        host,
        restart: restarts ? Host.restart.fixed({ delay: "10 millis" }) : Host.restart.never,
        stop: { timeout: "4 seconds" }
      }),
      run: () =>
        Effect.gen(function*() {
          const client = yield* Crashing
          const first = yield* Effect.orDie(client.who())
          if (crash.moment === "release") return
          const call = yield* Effect.forkChild(
            Effect.onError(answered(client.crash()), (cause) => Deferred.succeed(called, told(cause)))
          )
          if (!restarts) return yield* Effect.never
          yield* Fiber.await(call)
          // the next host answers
          while ((yield* Effect.orElseSucceed(client.who(), () => first)) === first) yield* Effect.sleep(5)
        })
    })
    const run = yield* Environment.submit(job, {})
    const { exit, report } = yield* run.result
    const events = yield* Stream.runCollect(run.events)
    const crashed: Crashed = {
      crash,
      error: exit._tag === "Failure" ? told(exit.cause) : undefined,
      call: called.pipe(Deferred.isDoneUnsafe) ? yield* Deferred.await(called) : undefined,
      events: events.map(({ _tag }) => _tag),
      report
    }
    process.stdout.write(`${JSON.stringify(crashed)}\n`)
  })

runMain(
  Effect.forEach(crashes, runOne, { concurrency: 3, discard: true }).pipe(
    Effect.scoped,
    Effect.provide(LocalEnvironment.layer)
  )
)
