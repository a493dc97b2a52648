/** A service that gets values that are hard to print, to compare and to send. */
import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import { Host } from "../../../src/index.ts"
import { hostileNames } from "../../support/hostile.ts"

const payload = { kind: Schema.Literals(hostileNames) }

export class Odd extends Host.Service<Odd>()("test/Odd", {
  group: RpcGroup.make(
    Rpc.make("fail", { payload, error: Schema.Struct({ at: Schema.Int }) }),
    Rpc.make("die", { payload }),
    Rpc.make("throw", { payload }),
    Rpc.make("succeed", { payload, success: Schema.Struct({ at: Schema.Int }) }),
    Rpc.make("stream", { payload, success: Schema.Int, error: Schema.String, stream: true }),
    Rpc.make("take", { payload: { at: Schema.Struct({ place: Schema.Int }) } }),
    /** Throws the value where nothing catches it. */
    Rpc.make("crash", { payload }),
    /** Makes a service beneath the handlers die of the value. */
    Rpc.make("break", { payload }),
    Rpc.make("answer", { success: Schema.Int })
  ),
  module: new URL("./odd.host.ts", import.meta.url)
}) {}
