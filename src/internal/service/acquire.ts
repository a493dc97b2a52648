import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import type { ServiceRecord } from "./serviceRecord.ts"

/** The service that is being acquired; the fibers that it forks inherit it. */
export const CurrentService = Context.Reference<ServiceRecord | undefined>("autostop/CurrentService", {
  defaultValue: () => undefined
})

/** Builds a layer as a service. */
export const buildAs = <A, E, R>(record: ServiceRecord, layer: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.provideService(layer, CurrentService, record)

/** Acquires a service in its own scope. */
export const acquireAs = <A, E, R>(
  record: ServiceRecord,
  acquire: Effect.Effect<A, E, R>
): Effect.Effect<A, E, Exclude<R, Scope.Scope>> =>
  Effect.updateContext(
    acquire,
    (context: Context.Context<Exclude<R, Scope.Scope>>) =>
      // safe: with the scope it is all that the acquire needs. One change of the context is cheaper than two
      Context.add(Context.add(context, CurrentService, record), Scope.Scope, record.scope) as Context.Context<R>
  )
