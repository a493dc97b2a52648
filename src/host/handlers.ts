import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Headers from "effect/http/Headers"
import type * as Queue from "effect/Queue"
import * as Rpc from "effect/rpc/Rpc"
import { RequestId } from "effect/rpc/RpcMessage"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Method } from "./contract.ts"

/** The context that `RpcGroup.toLayer` makes, with a handler for each request. */
export type Handlers = Context.Context<never>

/** The type that a handler may return: an effect of a result or of a queue of elements, or a stream. */
type Returned = Stream.Stream<unknown, unknown, Scope.Scope> | Effect.Effect<unknown, unknown, Scope.Scope>

/** Answers the calls of a method, each in a scope of its own. It must run with the context of its layer. */
export interface Handler {
  readonly context: Context.Context<never>
  readonly effect: (payload: unknown) => Effect.Effect<unknown, unknown>
  /** For a method whose result is a stream. */
  readonly stream: (payload: unknown) => Stream.Stream<unknown, unknown>
}

export const handlerOf = (handlers: Handlers, method: Method): Handler => {
  // safe: only `RpcGroup.toLayer` adds anything by the key of a request
  const { context, handler } = Context.getUnsafe(handlers, method.key) as Rpc.Handler<string>
  const options = { client, requestId: RequestId(""), headers: Headers.empty, rpc: method.rpc }
  // safe: a handler may wrap its result in options for a server of `effect/rpc`, which do not apply here
  const call = (payload: unknown) => Rpc.unwrap(handler(payload, options)) as Returned
  return {
    context,
    effect: (payload) => {
      // safe: the handler of a method without a stream returns an effect
      const returned = call(payload) as Effect.Effect<unknown, unknown, Scope.Scope>
      return Effect.scoped(Effect.flatMap(returned, awaited))
    },
    stream: (payload) => {
      const returned = call(payload)
      // safe: a handler that returns no stream returns an effect of a queue
      const queue = (queue: unknown) => Stream.fromQueue(queue as Queue.Dequeue<unknown, unknown>)
      return Stream.scoped(Effect.isEffect(returned) ? Stream.unwrap(Effect.map(returned, queue)) : returned)
    }
  }
}

const client = new Rpc.ServerClient(0)

const awaited = (result: unknown): Effect.Effect<unknown, unknown> =>
  Deferred.isDeferred(result) ? Deferred.await(result) : Effect.succeed(result)
