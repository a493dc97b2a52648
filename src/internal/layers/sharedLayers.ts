import type * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"

/**
 * The layers of one memo map that are built once, however many ask for them, as long as somebody needs them. A fork of a
 * memo map shares what its parent has, and keeps what it builds to itself.
 */
export class SharedLayers<Node> {
  readonly #nodes = new Map<Layer.Any, Node>()
  readonly #parent: SharedLayers<Node> | undefined

  constructor(parent?: SharedLayers<Node>) {
    this.#parent = parent
  }

  get(layer: Layer.Any): Node | undefined {
    return this.#nodes.get(layer) ?? this.#parent?.get(layer)
  }

  add(layer: Layer.Any, node: Node): void {
    this.#nodes.set(layer, node)
  }

  delete(layer: Layer.Any, node: Node): void {
    if (this.#nodes.get(layer) === node) this.#nodes.delete(layer)
  }
}

type Finalizer = (exit: Exit.Exit<unknown, unknown>) => Effect.Effect<void>

/**
 * Adds a finalizer under a key to a scope that is not closed. Returns false if the scope has one under that key already.
 *
 * Effect keys the finalizers that close a scope or end a fiber, but has no function that takes a key: its own
 * `Scope.addFinalizerExit` hides what a finalizer is there for, and takes three steps of a fiber, of which there are many.
 */
export const addKeyedFinalizer = (scope: Scope.Scope, key: object, finalizer: Finalizer): boolean => {
  const { state } = scope
  if (state._tag === "Empty") {
    scope.state = { _tag: "Open", finalizerKey: key, finalizer, finalizers: undefined }
    return true
  }
  if (state._tag === "Closed" || state.finalizerKey === key || state.finalizers?.has(key) === true) return false
  if (state.finalizer !== undefined && state.finalizerKey !== undefined) {
    state.finalizers = new Map([[state.finalizerKey, state.finalizer]])
    state.finalizerKey = undefined
    state.finalizer = undefined
  }
  state.finalizers?.set(key, finalizer)
  return true
}
