/** A service whose host crashes: how, and when. */
import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import { Host } from "../../../src/index.ts"

export const events = ["exception", "rejection", "exit", "timer", "overflow", "memory"] as const
export const moments = ["load", "start", "idle", "call", "release"] as const

export interface Crash {
  readonly event: typeof events[number]
  readonly moment: typeof moments[number]
  /** A file that gets a line for each thing that happens. */
  readonly journal: string
}

const group = RpcGroup.make(
  /** Which host this is. */
  Rpc.make("who", { success: Schema.String }),
  /** Makes the host crash, if that is the moment, and is never answered. */
  Rpc.make("crash")
)

export class Crashing extends Host.Service<Crashing>()("test/Crashing", {
  group,
  module: new URL("./crash.host.ts", import.meta.url)
}) {}

/** The service with its crash. */
export const crashing = (crash: Crash) =>
  Host.Service<Crashing>()("test/Crashing", {
    group,
    module: new URL(`./crash.host.ts?${encodeURIComponent(JSON.stringify(crash))}`, import.meta.url)
  })
