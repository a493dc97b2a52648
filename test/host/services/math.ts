/** The contract of the services that the tests put into hosts. */
import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import { Host } from "../../../src/index.ts"

export class TooLarge extends Schema.TaggedError<TooLarge>()("TooLarge", { limit: Schema.Number }) {}

export class Maths extends Host.Service<Maths>()("test/Maths", {
  group: RpcGroup.make(
    Rpc.make("double", { payload: { n: Schema.Number }, success: Schema.Number, error: TooLarge }),
    Rpc.make("count", { payload: { to: Schema.Int }, success: Schema.Int, stream: true }),
    Rpc.make("pid", { success: Schema.Int }).pipe(Host.idempotent),
    Rpc.make("spin", { payload: { ms: Schema.Number } }),
    Rpc.make("never")
  ),
  module: new URL("./math.host.ts", import.meta.url)
}) {}
