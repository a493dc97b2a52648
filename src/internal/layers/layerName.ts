import type * as Context from "effect/Context"
import * as Layer from "effect/Layer"
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
  const inner = new Set<string>([Layer.CurrentMemoMap.key, unwrapKey])
  for (const { exit } of children?.nodes ?? []) {
    if (exit?._tag !== "Success") continue
    for (const [key, value] of exit.value.mapUnsafe) if (output.mapUnsafe.get(key) === value) inner.add(key)
  }
  return Array.from(output.mapUnsafe.keys()).filter((key) => !inner.has(key))
}

/** Returns the name of a layer that provides these keys. */
export const nameOfKeys = ([first, ...more]: ReadonlyArray<string>): string | undefined =>
  first === undefined || more.length === 0 ? first : `${first} +${more.length}`
