import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import type { LayerGraph } from "../layers/layerGraph.ts"
import { isScope } from "../layers/ownFinalizers.ts"
import { CurrentService } from "./acquire.ts"
import type { ServiceRecord } from "./serviceRecord.ts"

/** Watches the fibers that services forked into their scopes: if one of them fails, its service has died. */
export class ServiceFibers {
  readonly #graph: LayerGraph<ServiceRecord>
  readonly #onDeath: (record: ServiceRecord, cause: Cause.Cause<unknown>) => void
  readonly #watched = new WeakSet<Fiber.Fiber<unknown, unknown>>()

  constructor(graph: LayerGraph<ServiceRecord>, onDeath: (record: ServiceRecord, cause: Cause.Cause<unknown>) => void) {
    this.#graph = graph
    this.#onDeath = onDeath
  }

  /** Watches a fiber of the job from before its first step if it is in the scope of a service. */
  begun(fiber: Fiber.Fiber<unknown, unknown>): void {
    const record = fiber.getRef(CurrentService)
    if (record !== undefined && this.#isOf(record, fiber)) this.#watch(record, fiber)
  }

  /** Watches the fibers that were started at once: before their first step they were in no scope yet. */
  started(record: ServiceRecord): void {
    for (const scope of this.#scopesOf(record)) this.#watchIn(scope, record)
  }

  #scopesOf(record: ServiceRecord): ReadonlyArray<Scope.Scope> {
    const { node, scope } = record
    return node.children === undefined ? [scope] : [scope, ...this.#graph.needs.scopesWithin(node)]
  }

  /** Returns true if a fiber was forked into a scope of the service, or into a scope within one. */
  #isOf(record: ServiceRecord, fiber: Fiber.Fiber<unknown, unknown>): boolean {
    const scopes = this.#scopesOf(record)
    if (scopes.some((scope) => holds(scope, fiber))) return true
    const given = Context.getOrUndefined(fiber.context, Scope.Scope)
    if (given !== undefined && holds(given, fiber)) return isWithin(given, scopes)
    return holdWithin(scopes, fiber)
  }

  /** Watches the fibers in a scope and in those within it. */
  #watchIn(scope: Scope.Scope, record: ServiceRecord): void {
    if (scope.state._tag !== "Open") return
    const { finalizerKey, finalizers } = scope.state
    if (finalizers === undefined) this.#watchKey(finalizerKey, record)
    else for (const key of finalizers.keys()) this.#watchKey(key, record)
  }

  #watchKey(key: unknown, record: ServiceRecord): void {
    if (isScope(key)) this.#watchIn(key, record)
    else if (Fiber.isFiber(key)) this.#watch(record, key)
  }

  #watch(record: ServiceRecord, fiber: Fiber.Fiber<unknown, unknown>): void {
    if (this.#watched.has(fiber)) return
    this.#watched.add(fiber)
    fiber.addObserver((exit) => {
      if (exit._tag === "Success" || Cause.hasInterruptsOnly(exit.cause)) return
      if (record.state._tag !== "Running" && record.state._tag !== "Starting") return
      this.#onDeath(record, exit.cause)
    })
  }
}

/** Returns true if the fiber is in the scope: Effect keys the finalizer of a fiber by the fiber. */
const holds = ({ state }: Scope.Scope, fiber: Fiber.Fiber<unknown, unknown>): boolean =>
  state._tag === "Open" && (state.finalizerKey === fiber || state.finalizers?.has(fiber) === true)

/** A search ends after so many finalizers: there may be as many of them as a server has requests. */
const maxSearched = 256

const holdWithin = (scopes: ReadonlyArray<Scope.Scope>, fiber: Fiber.Fiber<unknown, unknown>): boolean => {
  const open = [...scopes]
  let left = maxSearched
  for (let scope = open.pop(); scope !== undefined; scope = open.pop()) {
    if (scope.state._tag !== "Open") continue
    const { finalizerKey, finalizers } = scope.state
    const size = finalizers?.size ?? 1
    if (size > left) continue
    left -= size
    for (const key of finalizers?.keys() ?? [finalizerKey]) {
      if (!isScope(key)) continue
      if (holds(key, fiber)) return true
      open.push(key)
    }
  }
  return false
}

const isWithin = (scope: Scope.Scope, scopes: ReadonlyArray<Scope.Scope>): boolean =>
  scopes.includes(scope) || (scope.parent !== undefined && isWithin(scope.parent, scopes))
