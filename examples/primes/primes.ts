// The contract of a service that may live in another thread or process: all that its callers import.
import { Host } from "autostop"
import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"

/** The range ends beyond `limit`, up to which the table of the service is enough. */
export class TooLarge extends Schema.TaggedError<TooLarge>()("TooLarge", { limit: Schema.Int }) {}

const range = { from: Schema.Int, to: Schema.Int }

export class Primes extends Host.Service<Primes>()("examples/Primes", {
  group: RpcGroup.make(
    // counting may be done again if a host is lost
    Rpc.make("count", { payload: range, success: Schema.Int, error: TooLarge }).pipe(Host.idempotent),
    Rpc.make("list", { payload: range, success: Schema.Int, error: TooLarge, stream: true })
  ),
  module: new URL("./primes.host.ts", import.meta.url)
}) {}
