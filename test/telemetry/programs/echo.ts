/** A service that answers with what it is sent. */
import { Host } from "autostop"
import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"

export class Echo extends Host.Service<Echo>()("traced/Echo", {
  group: RpcGroup.make(Rpc.make("say", { payload: { text: Schema.String }, success: Schema.String })),
  module: new URL("./echo.host.ts", import.meta.url)
}) {}
