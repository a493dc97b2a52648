import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"

/** One built layer. What it depends on are the layers whose values it was given, and those built inside it. */
export class Node {
  readonly needs = new Set<Node>()
  /** The layers built inside it. */
  readonly parts = new Set<Node>()
  /** The scope that it was built in. */
  scope: Scope.Scope | undefined = undefined
  /** The name of the managed service that this layer is, if it is one. */
  service: string | undefined = undefined
}

/**
 * The graph of a job's layers, seen while they are built: a layer that is given a value depends on the layer that
 * made it. Nothing is declared by hand.
 */
export class LayerGraph {
  readonly root = new Node()
  readonly nodes = new Map<Layer.Any, Node>()
  /**
   * Set once the job's own layers stand: those that `run` provides, perhaps again and again, depend on what was made
   * before, and are not remembered.
   */
  sealed = false
  readonly #makers = new Map<string, Array<{ readonly value: unknown; readonly node: Node }>>()
  #seen: { readonly context: Context.Context<never>; readonly makers: ReadonlyArray<Node> } | undefined

  memoMap(): Layer.MemoMap {
    return new GraphMemoMap(this, Layer.makeMemoMapUnsafe(), this.root)
  }

  /** Runs the build of one layer as `node`: notes whose values it is given, and that it made what it returns. */
  track<A, E, R>(node: Node, build: Effect.Effect<Context.Context<A>, E, R>): Effect.Effect<Context.Context<A>, E, R> {
    return Effect.withFiber((fiber) => {
      for (const maker of this.makersIn(fiber.context)) node.needs.add(maker)
      return this.sealed ? build : Effect.map(build, (made) => {
        for (const [key, value] of made.mapUnsafe) this.#own(key, value, node)
        return made
      })
    })
  }

  makersIn(context: Context.Context<never>): ReadonlyArray<Node> {
    if (this.#makers.size === 0) return []
    // siblings are built with one and the same context, whose values were all made before it
    if (this.#seen?.context === context) return this.#seen.makers
    const makers: Array<Node> = []
    for (const [key, value] of context.mapUnsafe) {
      const made = this.#makers.get(key)?.find((made) => made.value === value)
      if (made !== undefined) makers.push(made.node)
    }
    this.#seen = { context, makers }
    return makers
  }

  #own(key: string, value: unknown, node: Node): void {
    const made = this.#makers.get(key)
    if (made === undefined) this.#makers.set(key, [{ value, node }])
    else if (!made.some((other) => other.value === value)) made.push({ value, node })
  }

  /** The scopes of the unmanaged layers that were built inside a layer: a memo map gives each one of its own. */
  scopesWithin(node: Node, found: Array<Scope.Scope> = []): ReadonlyArray<Scope.Scope> {
    for (const part of node.parts) {
      if (part.service !== undefined) continue
      if (part.scope !== undefined) found.push(part.scope)
      this.scopesWithin(part, found)
    }
    return found
  }

  /** The services that a layer needs, through whatever unmanaged layers stand between. */
  servicesNeededBy(node: Node): Array<string> {
    const found = new Set<string>()
    const visited = new Set<Node>([node])
    const visit = (node: Node) => {
      for (const need of node.needs) {
        if (visited.has(need)) continue
        visited.add(need)
        if (need.service !== undefined) found.add(need.service)
        else visit(need)
      }
    }
    visit(node)
    return [...found]
  }
}

/** A memo map that knows which layer is being built inside which. */
export class GraphMemoMap implements Layer.MemoMap {
  readonly "~effect/Layer/MemoMap" = "~effect/Layer/MemoMap"
  readonly graph: LayerGraph
  readonly node: Node
  readonly #inner: Layer.MemoMap

  constructor(graph: LayerGraph, inner: Layer.MemoMap, node: Node) {
    this.graph = graph
    this.node = node
    this.#inner = inner
  }

  get<RIn, E, ROut>(layer: Layer.Layer<ROut, E, RIn>, scope: Scope.Scope) {
    return this.#inner.get(layer, scope)
  }

  getOrElseMemoize<RIn, E, ROut>(
    layer: Layer.Layer<ROut, E, RIn>,
    scope: Scope.Scope,
    build: (memoMap: Layer.MemoMap, scope: Scope.Scope) => Effect.Effect<Context.Context<ROut>, E, RIn>
  ): Effect.Effect<Context.Context<ROut>, E, RIn> {
    const built = this.#inner.getOrElseMemoize(layer, scope, (_, scope) => {
      const node = new Node()
      node.scope = scope
      if (!this.graph.sealed) this.graph.nodes.set(layer, node)
      this.node.needs.add(node)
      this.node.parts.add(node)
      return this.graph.track(node, build(new GraphMemoMap(this.graph, this.#inner, node), scope))
    })
    return Effect.suspend(() => {
      const shared = this.graph.nodes.get(layer)
      if (shared !== undefined) this.node.needs.add(shared)
      return built
    })
  }
}
