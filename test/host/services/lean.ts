/** A service that loads few modules: its hosts start fast. */
import * as Schema from "effect/Schema"
import * as Rpc from "effect/rpc/Rpc"
import * as RpcGroup from "effect/rpc/RpcGroup"
import * as Host from "../../../src/Host.ts"

export class Lean extends Host.Service<Lean>()("test/Lean", {
  group: RpcGroup.make(Rpc.make("double", { payload: { n: Schema.Int }, success: Schema.Int })),
  module: new URL("./lean.host.ts", import.meta.url)
}) {}
