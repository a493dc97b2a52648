/** Effect's own RPC server in a worker: a message for each call, and one for each answer. */
import * as NodeWorkerRunner from "@effect/platform-node/NodeWorkerRunner"
import { Effect, Layer } from "effect"
import { RpcServer } from "effect/rpc"
import { handlers } from "./handlers.ts"
import { Numbers } from "./numbers.ts"

const server = RpcServer.layer(Numbers.group, { disableTracing: true }).pipe(
  Layer.provide([handlers, Layer.provide(RpcServer.layerProtocolWorkerRunner, NodeWorkerRunner.layer)])
)

Effect.runFork(Layer.launch(server))
