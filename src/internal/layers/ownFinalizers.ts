import type * as Scope from "effect/Scope"
import { LayerNode, type NodeService } from "./layerNode.ts"

/**
 * Returns true if the scope of a layer, or another one within it, has a finalizer that does not release one of the layers
 * inside that layer: it has something of its own to release.
 */
export const hasOwnFinalizer = <S extends NodeService>(node: LayerNode<S>, { state }: Scope.Scope = node): boolean => {
  if (state._tag !== "Open") return false
  if (state.finalizers === undefined) return isOwn(node, state.finalizerKey)
  for (const key of state.finalizers.keys()) if (isOwn(node, key)) return true
  return false
}

const isOwn = <S extends NodeService>(node: LayerNode<S>, key: unknown): boolean => {
  if (isScope(key)) return hasOwnFinalizer(node, key)
  // safe: the nodes of a graph have services of one kind
  return !(key instanceof LayerNode) || !(key.outer === node || node.children?.isShared(key as LayerNode<S>) === true)
}

/**
 * Returns true for a scope within another one: Effect keys the finalizer that closes it by that scope. A layer that is shared
 * has a scope, too, but is none of those within.
 */
export const isScope = (key: unknown): key is Scope.Scope =>
  typeof key === "object" && key !== null && !(key instanceof LayerNode) && "state" in key && "strategy" in key
