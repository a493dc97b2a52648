/** A service for a process of its own, which says when it is released. */
import { Host } from "autostop"
import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"

export class Echo extends Host.Service<Echo>()("test/Echo", {
  group: RpcGroup.make(Rpc.make("pid", { success: Schema.Int })),
  module: new URL("./echo.host.ts", import.meta.url)
}) {}
