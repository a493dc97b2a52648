/** Serves other services than its callers expect: another name, a newer version, other Schemas. */
import { Effect, Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import { Host } from "../../../src/index.ts"
import { Desk } from "./desk.ts"

const module = new URL(import.meta.url)

/** The contracts of the callers. */
export class Renamed extends Host.Service<Renamed>()("test/Renamed", { group: Desk.group, module }) {}
export class Newer extends Host.Service<Newer>()("test/Newer", {
  group: RpcGroup.make(Rpc.make("one", { success: Schema.Int })),
  version: "1.4.0",
  module
}) {}
export class Wider extends Host.Service<Wider>()("test/Wider", {
  group: RpcGroup.make(Rpc.make("one", { success: Schema.Int })),
  module
}) {}

/** The contracts that the module serves by those names. */
const newer = Host.Service<Newer>()("test/Newer", { group: Newer.group, version: "2.0.0", module })
const wider = Host.Service<Wider>()("test/Wider", {
  group: RpcGroup.make(Rpc.make("one", { success: Schema.String })),
  module
})

export const one = Host.serve(newer, newer.group.toLayer({ one: () => Effect.succeed(1) }))
export const two = Host.serve(wider, wider.group.toLayer({ one: () => Effect.succeed("one") }))
