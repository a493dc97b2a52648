import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"

/** The fibers that were forked into a scope, or into a scope within it: Effect keys their finalizers by the fiber. */
export const fibersIn = (scope: Scope.Scope): ReadonlyArray<Fiber.Fiber<unknown, unknown>> => {
  const found: Array<Fiber.Fiber<unknown, unknown>> = []
  const visit = (scope: Scope.Scope) => {
    if (scope.state._tag !== "Open") return
    const { finalizerKey, finalizers } = scope.state
    for (const key of finalizers === undefined ? [finalizerKey] : finalizers.keys()) {
      if (Fiber.isFiber(key)) found.push(key)
      else if (isScope(key)) visit(key)
    }
  }
  visit(scope)
  return found
}

const isScope = (key: unknown): key is Scope.Scope =>
  typeof key === "object" && key !== null && "state" in key && "strategy" in key
