import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { look, observed, Reads } from "./reads.ts"

/** One built layer. */
export class Node {
  /** The layers whose values it was given, each with the keys of its values. */
  readonly given = new Map<Node, ReadonlyArray<string>>()
  /** The layers built inside it. */
  readonly parts = new Set<Node>()
  readonly reads = new Reads()
  /** The name of the managed service that this layer is, if it is one. */
  service: string | undefined = undefined
  /** The scope that it was built in. */
  scope: Scope.Scope | undefined = undefined
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
  #seen:
    | { readonly context: Context.Context<never>; readonly makers: ReadonlyMap<Node, ReadonlyArray<string>> }
    | undefined

  memoMap(): Layer.MemoMap {
    return new GraphMemoMap(this, Layer.makeMemoMapUnsafe(), this.root)
  }

  /** Runs the build of one layer as `node`: notes whose values it is given, and that it made what it returns. */
  track<A, E, R>(node: Node, build: Effect.Effect<Context.Context<A>, E, R>): Effect.Effect<Context.Context<A>, E, R> {
    return Effect.withFiber((fiber) => {
      const made = this.sealed ? build : Effect.map(build, (made) => {
        node.reads.closed = true
        for (const [key, value] of made.mapUnsafe) this.#own(key, value, node)
        return made
      })
      return this.give(node, fiber.context)
        // safe: the same context, which this fiber has
        ? Effect.updateContext(made, (context) => observed(context, node.reads))
        : made
    })
  }

  /** Notes whose values a layer is given; says whether there are several, of which it may not need each. */
  give(node: Node, context: Context.Context<never>): boolean {
    const makers = this.#makersIn(context)
    for (const [maker, keys] of makers) node.given.set(maker, keys)
    return makers.size > 1
  }

  #makersIn(context: Context.Context<never>): ReadonlyMap<Node, ReadonlyArray<string>> {
    // siblings are built with one and the same context, whose values were all made before it
    if (this.#seen?.context === context) return this.#seen.makers
    const makers = new Map<Node, ReadonlyArray<string>>()
    if (this.#makers.size > 0) {
      for (const [key, value] of look(context)) {
        const made = this.#makers.get(key)?.find((made) => made.value === value)
        if (made !== undefined) makers.set(made.node, [...makers.get(made.node) ?? [], key])
      }
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
    const visit = (needs: Iterable<Node>) => {
      for (const need of needs) {
        if (visited.has(need)) continue
        visited.add(need)
        if (need.service === undefined) visit(needsOf(need))
        else found.add(need.service)
      }
    }
    visit(needsOf(node))
    return [...found]
  }
}

/**
 * What a layer was given and what was built inside it, less what was only passed by: a value that it never asked for,
 * and that something else it was given needs.
 */
const needsOf = (node: Node): Iterable<Node> => {
  const { copied, keys } = node.reads
  const asked = [...node.given].flatMap(([maker, own]) => own.some((key) => keys.has(key)) ? [maker] : [])
  if (copied || asked.length === 0 || asked.length === node.given.size) return [...node.given.keys(), ...node.parts]
  const beneath = new Set<Node>()
  const descend = (node: Node) => {
    for (const need of [...node.given.keys(), ...node.parts]) {
      if (beneath.has(need)) continue
      beneath.add(need)
      descend(need)
    }
  }
  for (const maker of node.given.keys()) descend(maker)
  const passedBy = (maker: Node) => beneath.has(maker) && !asked.includes(maker)
  return [...[...node.given.keys()].filter((maker) => !passedBy(maker)), ...node.parts]
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
      this.node.parts.add(node)
      return this.graph.track(node, build(new GraphMemoMap(this.graph, this.#inner, node), scope))
    })
    return Effect.suspend(() => {
      const shared = this.graph.nodes.get(layer)
      if (shared !== undefined) this.node.parts.add(shared)
      return built
    })
  }
}
