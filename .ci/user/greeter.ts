import { Host } from "autostop"
import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"

export class Greeter extends Host.Service<Greeter>()("user/Greeter", {
  group: RpcGroup.make(Rpc.make("greet", { payload: { name: Schema.String }, success: Schema.String })),
  module: new URL("./greeter.host.ts", import.meta.url)
}) {}
