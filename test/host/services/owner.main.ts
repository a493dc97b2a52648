// A program with a job whose service lives in a host. Its first argument is JSON that says what it does.
import { Effect } from "effect"
import { Environment, Host, Job, LocalEnvironment, runMain } from "../../../src/index.ts"
import { Frail, frail, type Plan } from "./frail.ts"

/** The argument of the program. */
export interface Orders {
  readonly host: Host.HostKind
  readonly plan?: Plan
  readonly replicas?: number
  /** The limit of the release. */
  readonly stopMs?: number
  readonly does: "wait" | "spin" | "print" | "end"
}

// safe: it is only started by tests, with the JSON of such an object
const orders = JSON.parse(process.argv[2] ?? "") as Orders

const say = (line: string) => Effect.sync(() => process.stdout.write(`${line}\n`))

const act = Effect.gen(function*() {
  const client = yield* Frail
  if (orders.does === "spin") yield* Effect.forkChild(client.spin())
  if (orders.does === "print") yield* say(`printed ${yield* client.print({ lines: 5_000 })}`)
  yield* say("up")
  if (orders.does === "wait" || orders.does === "spin") return yield* Effect.never
})

const job = Job.make("owner", {
  services: Host.layer(frail(orders.plan ?? {}), {
    host: orders.host,
    replicas: orders.replicas,
    stop: { timeout: orders.stopMs ?? 5_000 }
  }),
  run: () => Effect.orDie(act)
})

runMain(
  Effect.gen(function*() {
    const run = yield* Environment.submit(job, {})
    const { report } = yield* run.result
    yield* say(`report ${JSON.stringify(report)}`)
  }).pipe(Effect.scoped, Effect.provide(LocalEnvironment.layer))
)
