// The contract of a service that computes. To let it use all cores: `AUTOSTOP_HOST=process npm start`.
import { Host } from "autostop"
import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import { Interval } from "./Flight.ts"

export class Intervals extends Host.Service<Intervals>()("flights/Intervals", {
  group: RpcGroup.make(
    /** The interval that has the mean in it with 95 % confidence, from a sample. */
    Rpc.make("ofMean", { payload: { values: Schema.NonEmptyArray(Schema.Int) }, success: Interval }).pipe(
      Host.idempotent
    )
  ),
  module: new URL("./Intervals.host.ts", import.meta.url)
}) {}
