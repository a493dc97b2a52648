import type * as Scope from "effect/Scope"

/** A finalizer by which a layer, or another scope, releases a layer that it shares. */
export type Finalizer = Scope.State.Open["finalizer"]

/**
 * Returns true if a scope has a finalizer, here or in a scope within it, that does not release one of the `shared` layers:
 * whoever was built in that scope has something of its own to release.
 */
export const hasOwnFinalizer = (scope: Scope.Scope, shared?: () => ReadonlySet<unknown>): boolean => {
  let known: ReadonlySet<unknown> | undefined
  const isOwn = (key: unknown, finalizer: Finalizer): boolean => {
    if (isScope(key)) return search(key)
    known ??= shared?.()
    return known?.has(finalizer) !== true
  }
  const search = ({ state }: Scope.Scope): boolean => {
    if (state._tag !== "Open") return false
    if (state.finalizers === undefined) return isOwn(state.finalizerKey, state.finalizer)
    for (const [key, finalizer] of state.finalizers) if (isOwn(key, finalizer)) return true
    return false
  }
  return search(scope)
}

/** Returns true for a scope: Effect keys the finalizer that closes a scope within another one by that scope. */
export const isScope = (key: unknown): key is Scope.Scope =>
  typeof key === "object" && key !== null && "state" in key && "strategy" in key
