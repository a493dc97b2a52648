import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { look, observed, Reads } from "./reads.ts"

const nothing: ReadonlyMap<Node, ReadonlyArray<string>> = new Map()

/** One built layer. There are many: what most of them do not need is not there. */
export class Node {
  /** The layers whose values it was given, each with the keys of its values. */
  given: ReadonlyMap<Node, ReadonlyArray<string>> = nothing
  /** The layers built inside it. */
  parts: Array<Node> | undefined
  /** What it asked for, where it was given values of several layers. */
  reads: Reads | undefined
  /** The name of the managed service that this layer is, if it is one. */
  service: string | undefined
  /** What it made, until somebody needs to know who made what. */
  made: Context.Context<never> | undefined
  /** The scope that it was built in. */
  scope: Scope.Scope | undefined
}

/** A value and the layer that made it; other layers may have made other values for the same key before. */
interface Made {
  readonly value: unknown
  readonly node: Node
  readonly before: Made | undefined
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

  seal(): void {
    this.sealed = true
    this.nodes.clear()
  }

  readonly #makers = new Map<string, Made>()
  #unread: Array<Node> = []
  #seen:
    | { readonly context: Context.Context<never>; readonly makers: ReadonlyMap<Node, ReadonlyArray<string>> }
    | undefined

  memoMap(): Layer.MemoMap {
    return new GraphMemoMap(this, Layer.makeMemoMapUnsafe(), this.root)
  }

  /** Runs the build of one layer as `node`: notes whose values it is given, and that it made what it returns. */
  track<A, E, R>(node: Node, build: Effect.Effect<Context.Context<A>, E, R>): Effect.Effect<Context.Context<A>, E, R> {
    return Effect.withFiber((fiber) => {
      this.give(node, fiber.context)
      if (this.sealed) return build
      const made = Effect.map(build, (made) => {
        if (node.reads !== undefined) node.reads.closed = true
        node.made = made
        this.#unread.push(node)
        return made
      })
      if (node.given.size < 2) return made
      const reads = node.reads = new Reads()
      return Effect.updateContext(made, (context: Context.Context<R>) => observed(context, reads))
    })
  }

  /** Notes whose values a layer is given. */
  give(node: Node, context: Context.Context<never>): void {
    node.given = this.#makersIn(context)
  }

  /** Siblings need not know of each other: who made what is read once a layer is given something else than they were. */
  #readMade(): void {
    for (const node of this.#unread) {
      node.made?.mapUnsafe.forEach((value, key) => this.#own(key, value, node))
      node.made = undefined
    }
    this.#unread = []
  }

  #makersIn(context: Context.Context<never>): ReadonlyMap<Node, ReadonlyArray<string>> {
    // siblings are built with one and the same context, whose values were all made before it
    if (this.#seen?.context === context) return this.#seen.makers
    this.#readMade()
    let makers: Map<Node, ReadonlyArray<string>> | undefined
    if (this.#makers.size > 0) {
      for (const [key, value] of look(context)) {
        const maker = this.#makerOf(key, value)
        if (maker === undefined) continue
        makers ??= new Map()
        makers.set(maker, [...makers.get(maker) ?? [], key])
      }
    }
    this.#seen = { context, makers: makers ?? nothing }
    return this.#seen.makers
  }

  #makerOf(key: string, value: unknown): Node | undefined {
    for (let made = this.#makers.get(key); made !== undefined; made = made.before) {
      if (made.value === value) return made.node
    }
    return undefined
  }

  #own(key: string, value: unknown, node: Node): void {
    if (this.#makerOf(key, value) === undefined) {
      this.#makers.set(key, { value, node, before: this.#makers.get(key) })
    }
  }

  /** The scopes of the unmanaged layers that were built inside a layer: a memo map gives each one of its own. */
  scopesWithin(node: Node): ReadonlyArray<Scope.Scope> {
    if (node.parts === undefined) return []
    return node.parts.flatMap((part) => {
      if (part.service !== undefined) return []
      const within = this.scopesWithin(part)
      return part.scope === undefined ? within : [part.scope, ...within]
    })
  }

  /** The services that a layer needs, through whatever unmanaged layers stand between. */
  servicesNeededBy(node: Node): ReadonlyArray<string> {
    if (node.given.size === 0 && node.parts === undefined) return []
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
  const all = [...node.given.keys(), ...node.parts ?? []]
  const { reads } = node
  if (reads === undefined || reads.copied) return all
  const asked = new Set<Node>()
  for (const [maker, keys] of node.given) {
    if (keys.some((key) => reads.keys.has(key))) asked.add(maker)
  }
  if (asked.size === 0) return all
  const beneath = new Set<Node>()
  const descend = (node: Node) => {
    for (const need of [...node.given.keys(), ...node.parts ?? []]) {
      if (beneath.has(need)) continue
      beneath.add(need)
      descend(need)
    }
  }
  for (const maker of node.given.keys()) descend(maker)
  return all.filter((need) => !node.given.has(need) || asked.has(need) || !beneath.has(need))
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
    // one node for each layer, whoever asks for it first
    const known = this.graph.nodes.get(layer)
    const node = known ?? new Node()
    if (known === undefined && !this.graph.sealed) this.graph.nodes.set(layer, node)
    if (this.node.parts === undefined) this.node.parts = [node]
    else this.node.parts.push(node)
    return this.#inner.getOrElseMemoize(layer, scope, (_, scope) => {
      node.scope = scope
      return this.graph.track(node, build(new GraphMemoMap(this.graph, this.#inner, node), scope))
    })
  }
}
