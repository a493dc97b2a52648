import type * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { LayerGraph } from "./graph.ts"
import type { Reads } from "./reads.ts"
import type { ServiceRecord } from "./serviceRecord.ts"

export const nothing: ReadonlyMap<Node, ReadonlyArray<string>> = new Map()

/**
 * One layer that is built, and the memo map for those that are built inside it, which are its parts. There are many:
 * what most of them do not need is not there.
 */
export class Node implements Layer.MemoMap {
  readonly graph: LayerGraph
  readonly inner: Layer.MemoMap
  readonly layer: Layer.Any | undefined
  /** The layers whose values it was given, each with the keys of its values. */
  given: ReadonlyMap<Node, ReadonlyArray<string>> = nothing
  /** The layers built inside it, or shared with those that had built them before. */
  parts: Array<Node> | undefined
  /** What it asked for, where it was given values of several layers. */
  reads: Reads | undefined
  /** The managed service that this layer is, if it is one. */
  service: ServiceRecord | undefined
  /** What it made, until somebody asks the graph. */
  made: Context.Context<never> | undefined
  /** The scope that it is built in; there is none where another node has built this layer before. */
  scope: Scope.Scope | undefined

  constructor(graph: LayerGraph, inner: Layer.MemoMap, layer?: Layer.Any) {
    this.graph = graph
    this.inner = inner
    this.layer = layer
  }

  get "~effect/Layer/MemoMap"() {
    return "~effect/Layer/MemoMap" as const
  }

  get<RIn, E, ROut>(layer: Layer.Layer<ROut, E, RIn>, scope: Scope.Scope) {
    return this.inner.get(layer, scope)
  }

  getOrElseMemoize<RIn, E, ROut>(
    layer: Layer.Layer<ROut, E, RIn>,
    scope: Scope.Scope,
    build: (memoMap: Layer.MemoMap, scope: Scope.Scope) => Effect.Effect<Context.Context<ROut>, E, RIn>
  ): Effect.Effect<Context.Context<ROut>, E, RIn> {
    const part = new Node(this.graph, this.inner, layer)
    if (this.parts === undefined) this.parts = [part]
    else this.parts.push(part)
    return this.inner.getOrElseMemoize(layer, scope, (_, scope) => {
      part.scope = scope
      return this.graph.track(part, build(part, scope))
    })
  }
}
