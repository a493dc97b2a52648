import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Fiber from "effect/Fiber"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import type { LayerGraph } from "./graph.ts"
import { running, type ServiceRecord, starting } from "./serviceRecord.ts"

/** The service that is being acquired; its fibers inherit it. */
const CurrentService = Context.Reference<ServiceRecord | undefined>("autostop/CurrentService", {
  defaultValue: () => undefined
})

/** Builds a layer as a service. */
export const buildAs = <A, E, R>(record: ServiceRecord, layer: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.provideService(layer, CurrentService, record)

/** Acquires a service, in its own scope. */
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

/** Watches the fibers that services forked into their scopes: where one of them fails, its service has died. */
export class Supervisor {
  readonly #graph: LayerGraph
  readonly #onDeath: (record: ServiceRecord, cause: Cause.Cause<unknown>) => void
  readonly #watched = new WeakSet<Fiber.Fiber<unknown, unknown>>()

  constructor(graph: LayerGraph, onDeath: (record: ServiceRecord, cause: Cause.Cause<unknown>) => void) {
    this.#graph = graph
    this.#onDeath = onDeath
  }

  /** Each fiber of the job comes by before its first step: those in the scope of a service are watched from then on. */
  begun(fiber: Fiber.Fiber<unknown, unknown>): void {
    const record = fiber.getRef(CurrentService)
    if (record !== undefined) this.#watchAll(record, fiber)
  }

  /** A fiber that was started at once was in no scope yet before its first step. It is once the acquire has ended. */
  started(record: ServiceRecord): void {
    this.#watchAll(record)
  }

  /** Watches the fibers of a service, or just the one, if it is among them. */
  #watchAll(record: ServiceRecord, only?: Fiber.Fiber<unknown, unknown>): void {
    this.#watchIn(record.scope, record, only)
    if (record.node.parts === undefined) return
    for (const scope of this.#graph.scopesWithin(record.node)) this.#watchIn(scope, record, only)
  }

  /** The fibers that were forked into a scope, or into a scope within it: Effect keys their finalizers by the fiber. */
  #watchIn(scope: Scope.Scope, record: ServiceRecord, only?: Fiber.Fiber<unknown, unknown>): void {
    if (scope.state._tag !== "Open") return
    const { finalizerKey, finalizers } = scope.state
    if (finalizers === undefined) this.#watchKey(finalizerKey, record, only)
    else for (const key of finalizers.keys()) this.#watchKey(key, record, only)
  }

  #watchKey(key: unknown, record: ServiceRecord, only?: Fiber.Fiber<unknown, unknown>): void {
    if (isScope(key)) this.#watchIn(key, record, only)
    else if (Fiber.isFiber(key) && (only === undefined || key === only)) this.#watch(record, key)
  }

  #watch(record: ServiceRecord, fiber: Fiber.Fiber<unknown, unknown>): void {
    if (this.#watched.has(fiber)) return
    this.#watched.add(fiber)
    fiber.addObserver((exit) => {
      if (exit._tag === "Success" || Cause.hasInterruptsOnly(exit.cause)) return
      if (record.cleanupCalled || (record.state !== running && record.state !== starting)) return
      this.#onDeath(record, exit.cause)
    })
  }
}

const isScope = (key: unknown): key is Scope.Scope =>
  typeof key === "object" && key !== null && "state" in key && "strategy" in key
