// A job that starts trees of processes, in itself or in a host, and leaves them behind.
import { NodeServices } from "@effect/platform-node"
import { Host, Job } from "autostop"
import { Effect, Layer, Schema, Scope } from "effect"
import { ChildProcess } from "effect/process"
import { Rpc, RpcGroup } from "effect/rpc"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { readFileSync } from "node:fs"
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

/** Starts all, waits until each of them runs, and kills those that are to be killed. */
export const startFamilies = Effect.gen(function*() {
  const { count, journal, roots } = orders()
  const kills = yield* Effect.forEach(roots, (root) => root.by === "effect" ? byEffect(root) : byNode(root))
  while (readFileSync(journal, "utf8").split("\n").length <= count) yield* Effect.sleep("5 millis")
  for (const [i, kill] of kills.entries()) if (roots[i]?.killed) yield* kill
  yield* Effect.sync(() => process.stdout.write("families run\n"))
})

/** A service whose host starts them. */
export class Family extends Host.Service<Family>()("test/Family", {
  group: RpcGroup.make(Rpc.make("pid", { success: Schema.Int })),
  module: new URL("./family.host.ts", import.meta.url)
}) {}

const then = Effect.suspend((): Effect.Effect<void> => {
  switch (process.env["THEN"]) {
    case "wait":
      return Effect.never
    case "block":
      for (;;);
    case "crash":
      return Effect.sync(() => process.kill(process.pid, "SIGKILL"))
    default:
      return Effect.void
  }
})

const where = process.env["FAMILY_HOST"]

export default where === "thread" || where === "process"
  ? Job.make("family", {
    error: Host.HostError,
    services: Host.layer(Family, { host: where }),
    run: () => Effect.andThen(Family.use((family) => family.pid()), then)
  })
  : Job.make("family", {
    services: Layer.empty,
    run: () => Effect.andThen(Effect.orDie(startFamilies), then)
  })
