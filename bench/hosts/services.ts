/** Two services that are there to be stopped. */
import { Host } from "autostop"
import { Rpc, RpcGroup } from "effect/rpc"

const module = new URL("./services.host.ts", import.meta.url)

/** Stops when it is asked to. */
export class Willing
  extends Host.Service<Willing>()("bench/Willing", { group: RpcGroup.make(Rpc.make("ping")), module })
{}

/** Ignores SIGTERM, has started a child that does so too, and blocks its event loop for good in its release. */
export class Stubborn
  extends Host.Service<Stubborn>()("bench/Stubborn", { group: RpcGroup.make(Rpc.make("ping")), module })
{}
