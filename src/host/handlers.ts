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

/** Calls the handler of a method, in the scope of that call. */
export const invoke = (handlers: Handlers, method: Method, payload: unknown): Effect.Effect<unknown, unknown> =>
  Effect.suspend(() => {
    const { context, given } = call(handlers, method, payload)
    // safe: a method without a stream has a handler that gives an effect
    const result = Effect.flatMap(given as Effect.Effect<unknown, unknown, Scope.Scope>, awaited)
    return Effect.provideContext(Effect.scoped(result), context)
  })

/** `invoke` for a method whose result is a stream. */
export const invokeStream = (handlers: Handlers, method: Method, payload: unknown): Stream.Stream<unknown, unknown> =>
  Stream.suspend(() => {
    const { context, given } = call(handlers, method, payload)
    const stream = Effect.isEffect(given)
      // safe: an effect instead of a stream gives a queue
      ? Stream.unwrap(Effect.map(given, (queue) => Stream.fromQueue(queue as Queue.Dequeue<unknown, unknown>)))
      : given
    return Stream.provideContext(Stream.scoped(stream), context)
  })

const call = (handlers: Handlers, method: Method, payload: unknown) => {
  // safe: it stands under the key of a request, where only `RpcGroup.toLayer` puts anything
  const { context, handler } = Context.getUnsafe(handlers, method.key) as Rpc.Handler<string>
  const options = { client, requestId: RequestId(""), headers: Headers.empty, rpc: method.rpc }
  // safe: besides its result a handler may say how a server is to run it, which is of no use here
  return { context, given: Rpc.unwrap(handler(payload, options)) as Given }
}

const client = new Rpc.ServerClient(0)

const awaited = (result: unknown): Effect.Effect<unknown, unknown> =>
  Deferred.isDeferred(result) ? Deferred.await(result) : Effect.succeed(result)
