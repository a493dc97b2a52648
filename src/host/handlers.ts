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

/** What `RpcGroup.toLayer` made. */
export type Handlers = Context.Context<never>

/** What a handler may give: a result, now or later; a stream, or a queue of its elements. */
type Given = Stream.Stream<unknown, unknown, Scope.Scope> | Effect.Effect<unknown, unknown, Scope.Scope>

/** What answers the calls of a method, each in a scope of its own. It is to run with the context of its layer. */
export interface Handler {
  readonly context: Context.Context<never>
  readonly effect: (payload: unknown) => Effect.Effect<unknown, unknown>
  /** For a method whose result is a stream. */
  readonly stream: (payload: unknown) => Stream.Stream<unknown, unknown>
}

export const handlerOf = (handlers: Handlers, method: Method): Handler => {
  // safe: it stands under the key of a request, where only `RpcGroup.toLayer` puts anything
  const { context, handler } = Context.getUnsafe(handlers, method.key) as Rpc.Handler<string>
  const options = { client, requestId: RequestId(""), headers: Headers.empty, rpc: method.rpc }
  // safe: besides its result a handler may say how a server is to run it, which is of no use here
  const call = (payload: unknown) => Rpc.unwrap(handler(payload, options)) as Given
  return {
    context,
    effect: (payload) => {
      // safe: a method without a stream has a handler that gives an effect
      const given = call(payload) as Effect.Effect<unknown, unknown, Scope.Scope>
      return Effect.scoped(Effect.flatMap(given, awaited))
    },
    stream: (payload) => {
      const given = call(payload)
      // safe: an effect instead of a stream gives a queue
      const queue = (queue: unknown) => Stream.fromQueue(queue as Queue.Dequeue<unknown, unknown>)
      return Stream.scoped(Effect.isEffect(given) ? Stream.unwrap(Effect.map(given, queue)) : given)
    }
  }
}

const client = new Rpc.ServerClient(0)

const awaited = (result: unknown): Effect.Effect<unknown, unknown> =>
  Deferred.isDeferred(result) ? Deferred.await(result) : Effect.succeed(result)
