import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import * as Tracer from "effect/Tracer"
import type { LayerNode, NodeService } from "./layerNode.ts"

/** The key of the layer that `Layer.unwrap` takes out of an effect. */
const unwrapKey = "effect/Layer/unwrap"

/**
 * Returns the keys of what a layer provides and no layer within it does. A name that such a layer has for people is the
 * first of them, and how many more there are.
 */
export const ownKeys = <S extends NodeService>(
  { children }: LayerNode<S>,
  output: Context.Context<never> | undefined
): ReadonlyArray<string> => {
  if (output === undefined) return []
  const inner = new Set<string>([Layer.CurrentMemoMap.key, Tracer.ParentSpan.key, unwrapKey])
  for (const { exit } of children?.nodes ?? []) {
    if (exit?._tag !== "Success") continue
    for (const [key, value] of exit.value.mapUnsafe) if (output.mapUnsafe.get(key) === value) inner.add(key)
  }
  return Array.from(output.mapUnsafe.keys()).filter((key) => !inner.has(key))
}

/** Returns the name of a layer that provides these keys. */
export const nameOfKeys = ([first, ...more]: ReadonlyArray<string>): string | undefined =>
  first === undefined || more.length === 0 ? first : `${first} +${more.length}`

/** Returns the name of the span or the effect that a layer was built by, if there is one. */
export const nameOfBuilder = <S extends NodeService>(
  node: LayerNode<S>,
  output: Context.Context<never> | undefined
): string | undefined => {
  const span = output === undefined ? undefined : Context.getOrUndefined(output, Tracer.ParentSpan)
  return span?._tag === "Span" && span.name !== "" ? span.name : node.builder
}
