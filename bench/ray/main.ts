// What calls to a service on a Ray actor take, and its end: `npm run bench:ray`.
import { Environment, Host, Job, LocalEnvironment } from "autostop"
import { Effect } from "effect"
import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { Numbers } from "../hosts/numbers.ts"

const rounds = 3
const native = fileURLToPath(new URL("./native.py", import.meta.url))

const timed = <E, R>(calls: number, work: Effect.Effect<unknown, E, R>): Effect.Effect<number, E, R> =>
  Effect.gen(function*() {
    const since = performance.now()
    yield* work
    return (performance.now() - since) / calls * 1_000
  })

const ours = { one: Array<number>(), many: Array<number>() }

const calls = Effect.gen(function*() {
  const { double } = yield* Numbers
  const one = (calls: number) =>
    Effect.gen(function*() {
      for (let n = 0; n < calls; n++) yield* double({ n })
    })
  const many = (calls: number) =>
    Effect.forEach(Array.from({ length: calls }), (_, n) => double({ n }), { concurrency: 64, discard: true })
  yield* one(2_000)
  yield* many(20_000)
  ours.one.push(yield* timed(5_000, one(5_000)))
  ours.many.push(yield* timed(50_000, many(50_000)))
})

const runOf = <E>(run: Effect.Effect<void, E, Numbers>, replicas: number) =>
  Effect.gen(function*() {
    const job = Job.make("bench", {
      services: Host.layer(Numbers, { host: "ray", replicas, start: { timeout: "2 minutes" } }),
      run: () => Effect.orDie(run)
    })
    const submitted = yield* Environment.submit(job, {})
    const { report } = yield* submitted.result
    if (!report.clean) throw new Error(JSON.stringify(report, null, 2))
    return report
  }).pipe(Effect.scoped, Effect.provide(LocalEnvironment.layer), Effect.runPromise)

const median = (values: ReadonlyArray<number>): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0

const theirs = { one: Array<number>(), many: Array<number>() }
const gone: Array<number> = []
const over: Array<number> = []
for (let round = 0; round < rounds; round++) {
  await runOf(calls, 1)
  const { stdout } = await promisify(execFile)("python", [native])
  const python: { readonly one: number; readonly many: number } = JSON.parse(stdout)
  theirs.one.push(python.one)
  theirs.many.push(python.many)
  const report = await runOf(Effect.asVoid(Numbers), 10)
  const actors = report.services.filter(({ killSuccess }) => killSuccess === true)
  if (actors.length !== 10) throw new Error(`${actors.length} actors were seen to be gone`)
  gone.push(Math.max(...actors.map(({ releaseMs }) => releaseMs)))
  over.push(report.phases.find(({ phase }) => phase === "release")?.durationMs ?? 0)
}

const line = (what: string, own: number, peer: number) =>
  console.log(
    `${what}: ${own.toFixed(1)} µs, a native actor method ${peer.toFixed(1)} µs, ratio ${(own / peer).toFixed(2)}`
  )
line("a call to a Ray actor, one after the other", median(ours.one), median(theirs.one))
line("calls to a Ray actor, 64 at once, each", median(ours.many), median(theirs.many))
console.log(
  `10 actors, from the end of the job until all are seen to be gone: ${median(gone).toFixed(0)} ms, ` +
    `until their Ray job is deleted: ${median(over).toFixed(0)} ms`
)
