import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import * as Tracer from "effect/Tracer"
import type { LayerNode, NodeService } from "./layerNode.ts"

/** The key of the layer that `Layer.unwrap` takes out of an effect. */
const unwrapKey = "effect/Layer/unwrap"

/** The keys that the output of any layer may have besides what the layer provides. */
const passed: ReadonlySet<string> = new Set([Layer.CurrentMemoMap.key, Tracer.ParentSpan.key, unwrapKey])

/**
 * Returns the name of a layer for people, if it has one by what it provides and no layer within it does: the first of these
 * keys, and how many more there are.
 */
export const nameOfOutput = <S extends NodeService>(
  { children }: LayerNode<S>,
  output: Context.Context<never> | undefined
): string | undefined => {
  if (output === undefined) return undefined
  const inner = children === undefined ? passed : keysWithin(children.nodes, output)
  let first: string | undefined
  let more = 0
  for (const key of output.mapUnsafe.keys()) {
    if (inner.has(key)) continue
    if (first === undefined) first = key
    else more++
  }
  return more === 0 ? first : `${first} +${more}`
}

/** Returns the keys of a layer's output whose values layers within it made. */
const keysWithin = <S extends NodeService>(
  nodes: Iterable<LayerNode<S>>,
  output: Context.Context<never>
): ReadonlySet<string> => {
  const inner = new Set(passed)
  for (const { exit } of nodes) {
    if (exit?._tag !== "Success") continue
    for (const [key, value] of exit.value.mapUnsafe) if (output.mapUnsafe.get(key) === value) inner.add(key)
  }
  return inner
}

/** Returns the name of the span or the effect that a layer was built by, if there is one. */
export const nameOfBuilder = <S extends NodeService>(
  node: LayerNode<S>,
  output: Context.Context<never> | undefined
): string | undefined => {
  const span = output === undefined ? undefined : Context.getOrUndefined(output, Tracer.ParentSpan)
  return span?._tag === "Span" && span.name !== "" ? span.name : node.builder
}
