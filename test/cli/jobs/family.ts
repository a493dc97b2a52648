// A job that starts trees of processes, in itself or in a host, and leaves them behind.
import { NodeServices } from "@effect/platform-node"
import { Host, Job } from "autostop"
import { Effect, Layer, Schema, Scope } from "effect"
import { ChildProcess } from "effect/process"
import { Rpc, RpcGroup } from "effect/rpc"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import type { Orders } from "../../support/family.ts"

type Root = Orders["roots"][number]

const orders = (): Orders => JSON.parse(process.env["FAMILY"] ?? "")

const envOf = ({ bare, free }: Root): NodeJS.ProcessEnv | undefined =>
  bare ? { PATH: process.env["PATH"] } : free ? { ...process.env, AUTOSTOP_OWNER: "none" } : undefined

const byNode = (root: Root) =>
  Effect.sync(() => {
    const env = envOf(root)
    const child = spawn("sh", [root.script], {
      stdio: "ignore",
      detached: root.by === "detached",
      ...(env === undefined ? {} : { env })
    })
    const ended = once(child, "exit")
    return Effect.promise(() => {
      child.kill("SIGKILL")
      return ended
    })
  })

const byEffect = (root: Root) =>
  Effect.gen(function*() {
    const env = envOf(root)
    const streams = { stdin: "ignore", stdout: "ignore", stderr: "ignore" } as const
    const handle = yield* ChildProcess.make("sh", [root.script], env === undefined ? streams : { ...streams, env })
    return Effect.andThen(
      Effect.sync(() => process.kill(handle.pid, "SIGKILL")),
      Effect.ignore(handle.exitCode)
    )
  }).pipe(
    // nobody closes this scope
    Scope.provide(Scope.makeUnsafe()),
    Effect.provide(NodeServices.layer)
  )

const allRun = ({ count, journal }: Pick<Orders, "count" | "journal">) =>
  Effect.gen(function*() {
    while (readFileSync(journal, "utf8").split("\n").length <= count) yield* Effect.sleep("5 millis")
  })

/** Starts all, waits until each of them runs, and kills those that are to be killed. */
export const startFamilies = Effect.gen(function*() {
  const { roots, ...all } = orders()
  const kills = yield* Effect.forEach(roots, (root) => root.by === "effect" ? byEffect(root) : byNode(root))
  yield* allRun(all)
  for (const [i, kill] of kills.entries()) if (roots[i]?.killed) yield* kill
  yield* Effect.sync(() => process.stdout.write("families run\n"))
})

/** Another program of autostop, which this one starts and leaves behind. */
interface Nested {
  readonly args: ReadonlyArray<string>
  readonly env: Record<string, string>
  readonly orders: Orders
  readonly killed: boolean
}

const startNested = Effect.gen(function*() {
  const { args, env, killed, orders }: Nested = JSON.parse(process.env["NESTED"] ?? "")
  const child = spawn(process.execPath, args, {
    detached: true,
    stdio: "ignore",
    env: { ...process.env, ...env, FAMILY: JSON.stringify(orders) }
  })
  yield* allRun(orders)
  yield* Effect.sync(() => process.stdout.write(`nested ${child.pid}\n`))
  if (!killed) return
  child.kill("SIGKILL")
  yield* Effect.promise(() => once(child, "exit"))
})

/** A service that says in its release, which takes a while, how many of its processes run. */
const checked = Layer.effectDiscard(Effect.acquireRelease(Effect.void, () =>
  Effect.gen(function*() {
    const file = process.env["CHECKED"]
    if (file === undefined) return
    yield* Effect.sleep("300 millis")
    const pids = readFileSync(orders().journal, "utf8").trim().split("\n").map((line) => line.split(" ")[1])
    const running = pids.filter((pid) =>
      existsSync(`/proc/${pid}`) && !readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z")
    )
    writeFileSync(file, `${running.length} of ${pids.length}`)
  })))

/** A service whose host starts them. */
export class Family extends Host.Service<Family>()("test/Family", {
  group: RpcGroup.make(Rpc.make("pid", { success: Schema.Int })),
  module: new URL("./family.host.ts", import.meta.url)
}) {}

/** What follows once all run. `host` is the process of their host. */
const then = (host = process.pid): Effect.Effect<void> =>
  Effect.suspend(() => {
    switch (process.env["THEN"]) {
      case "wait":
        return Effect.never
      case "block":
        for (;;);
      case "crash":
        return Effect.sync(() => process.kill(process.pid, "SIGKILL"))
      case "crash the host":
        return Effect.andThen(Effect.sync(() => process.kill(host, "SIGKILL")), Effect.never)
      case "nested":
        return startNested
      default:
        return Effect.void
    }
  })

const where = process.env["FAMILY_HOST"]

export default where === "thread" || where === "process"
  ? Job.make("family", {
    error: Host.HostError,
    services: Host.layer(Family, { host: where, restart: Host.restart.never, start: { timeout: "3 minutes" } }),
    run: () => Effect.flatMap(Family.use((family) => family.pid()), then)
  })
  : Job.make("family", {
    services: checked,
    run: () => Effect.andThen(Effect.orDie(startFamilies), then())
  })
