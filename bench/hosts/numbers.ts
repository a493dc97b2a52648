/** The service that the cases call. It does next to nothing, so that the cases measure the transport. */
import { Host } from "autostop"
import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"

export class Numbers extends Host.Service<Numbers>()("bench/Numbers", {
  group: RpcGroup.make(
    Rpc.make("double", { payload: { n: Schema.Number }, success: Schema.Number }),
    /** Counts the primes up to a number, by trial: work for a core. */
    Rpc.make("primes", { payload: { to: Schema.Int }, success: Schema.Int })
  ),
  module: new URL("./numbers.host.ts", import.meta.url)
}) {}
