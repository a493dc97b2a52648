import { Host } from "autostop"
import { Effect } from "effect"
import { spawn } from "node:child_process"
import { Stubborn, Willing } from "./services.ts"

const ping = { ping: () => Effect.void }

export const willing = Host.serve(Willing, Willing.group.toLayer(ping))

const hang = Effect.acquireRelease(
  Effect.sync(() => {
    process.on("SIGTERM", () => {})
    spawn("sh", ["-c", "trap \"\" TERM; sleep 1000"], { stdio: "ignore" }).unref()
  }),
  () => Effect.sync(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0))
)

export const stubborn = Host.serve(Stubborn, Stubborn.group.toLayer(Effect.as(hang, ping)))
