import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import { Host } from "../../src/index.ts"

export class Surroundings extends Host.Service<Surroundings>()("test/Surroundings", {
  group: RpcGroup.make(
    Rpc.make("look", {
      payload: { file: Schema.String, variable: Schema.String },
      success: Schema.Struct({ text: Schema.String, value: Schema.String })
    })
  ),
  module: new URL("./surroundings.host.ts", import.meta.url)
}) {}
