import { Host } from "autostop"
import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"

export class Counter extends Host.Service<Counter>()("brought/Counter", {
  group: RpcGroup.make(Rpc.make("next", { success: Schema.Int })),
  module: new URL("./counter.host.ts", import.meta.url)
}) {}
