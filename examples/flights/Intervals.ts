// The contract of a service that computes, and that may do so on all cores: `AUTOSTOP_HOST=process npm start`.
import { Host } from "autostop"
import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import { Interval } from "./Flight.ts"

export class Intervals extends Host.Service<Intervals>()("flights/Intervals", {
  group: RpcGroup.make(
    /** Where the mean of what these values are a sample of lies, with 95 % confidence. */
    Rpc.make("ofMean", { payload: { values: Schema.NonEmptyArray(Schema.Int) }, success: Interval }).pipe(
      Host.idempotent
    )
  ),
  module: new URL("./Intervals.host.ts", import.meta.url)
}) {}
