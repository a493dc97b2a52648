import type * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import type { ContextReads } from "./contextReads.ts"
import { LayerChildren } from "./layerChildren.ts"
import { addKeyedFinalizer, type SharedLayers } from "./sharedLayers.ts"

/** A service as the graph of layers sees it. */
export interface NodeService {
  readonly name: string
  /** `true` if it was declared as a service: the layers inside it belong to it. */
  readonly isManaged: boolean
  readonly hasStopped: boolean
}

/** The build of a layer by its node, in the scope of that node. */
export type NodeBuild<S extends NodeService, A, E, R> = (
  node: LayerNode<S>,
  scope: Scope.Scope
) => Effect.Effect<Context.Context<A>, E, R>

/** The graph as its nodes see it. */
export interface NodeGraph<S extends NodeService> {
  /** `true` once the job's own layers stand. */
  readonly isSealed: boolean
  /** Returns the node that builds in place of the fork of a node's memo map that the current fiber builds with. */
  fork(node: LayerNode<S>): LayerNode<S> | undefined
  track<A, E, R>(node: LayerNode<S>, build: NodeBuild<S, A, E, R>): Effect.Effect<Context.Context<A>, E, R>
  begin<A, E, R>(node: LayerNode<S>, build: NodeBuild<S, A, E, R>): Effect.Effect<Context.Context<A>, E, R>
  end(node: LayerNode<S>, exit: Exit.Exit<Context.Context<never>, unknown>): Effect.Effect<void> | undefined
  serviceNames(node: LayerNode<S>): ReadonlyArray<string>
  /** A layer that no other one of the graph needs is about to be built. */
  beginOutermost(node: LayerNode<S>): void
  /** A layer registers its first finalizer. */
  acquires(node: LayerNode<S>): void
  /** Returns the name of the span or the effect that built a layer, if there is one. */
  builder(node: LayerNode<S>): string | undefined
  /** A layer belongs to no other one any longer. */
  uncover(node: LayerNode<S>): void
  /** Releases a layer that nobody shares any longer. */
  release(node: LayerNode<S>, exit: Exit.Exit<unknown, unknown>): Effect.Effect<void>
}

export const noMakers: ReadonlyMap<never, ReadonlyArray<string>> = new Map<never, ReadonlyArray<string>>()

const empty: Scope.State.Empty = { _tag: "Empty" }

/**
 * One layer that is built. It is also the scope that it is built in, the memo map for the layers built inside it, its
 * children, and the entry that they share, so that a layer needs no objects besides. There are many nodes: what most of
 * them do not need is created on demand.
 */
export class LayerNode<S extends NodeService> implements Layer.MemoMap, Scope.Closeable {
  readonly graph: NodeGraph<S>
  /** The layer; `undefined` for a memo map, which is no layer. */
  readonly layer: Layer.Any | undefined
  /** The layers that its memo map shares. */
  readonly shared: SharedLayers<LayerNode<S>>
  /** The memo map that keeps the children, if that is not the graph. */
  readonly foreignMemoMap: Layer.MemoMap | undefined
  /** The layers whose values it was given, each with the keys of its values. */
  given: ReadonlyMap<LayerNode<S>, ReadonlyArray<string>> = noMakers
  children: LayerChildren<LayerNode<S>> | undefined
  /** The layer that it was built inside, if any; others may share it. */
  outer: LayerNode<S> | undefined
  /** The keys that it asked for, if it was given values of several layers. */
  reads: ContextReads | undefined
  /** The service that this layer is, if it is one. */
  service: S | undefined
  /** `true` if it belongs to a declared service, because only layers inside that service need it. */
  isCovered: boolean
  /** The scope that it is built in: itself, or that of a foreign memo map. There is none if another node has built this layer before. */
  scope: Scope.Scope | undefined
  #state: Scope.State.Open | Scope.State.Closed | Scope.State.Empty = empty
  /** The progress of its build: the fiber that builds it, once that has begun, and how it went. */
  build: "pending" | Fiber.Fiber<unknown, unknown> | Exit.Exit<unknown, unknown>["_tag"] = "pending"
  /** The beginning of its build, in monotonic milliseconds. */
  startedAt = 0
  /** The result of its build, as long as somebody may need it. */
  exit: Exit.Exit<Context.Context<never>, unknown> | undefined
  /** Those that share it wait here until it is built. */
  #built: Deferred.Deferred<Context.Context<never>, unknown> | undefined
  /** The number of scopes that share it. */
  #sharers = 1

  constructor(
    graph: NodeGraph<S>,
    shared: SharedLayers<LayerNode<S>>,
    layer?: Layer.Any,
    foreignMemoMap?: Layer.MemoMap,
    isCovered = false
  ) {
    this.graph = graph
    this.shared = shared
    this.layer = layer
    this.foreignMemoMap = foreignMemoMap
    this.isCovered = isCovered
  }

  get "~effect/Layer/MemoMap"() {
    return "~effect/Layer/MemoMap" as const
  }
  get "~effect/Scope"() {
    return "~effect/Scope" as const
  }
  get "~effect/Scope/Closeable"() {
    return "~effect/Scope/Closeable" as const
  }
  get strategy() {
    return "sequential" as const
  }
  /** It is in no other scope: those that share it release it. */
  get parent(): undefined {
    return undefined
  }

  /** Its finalizers. */
  get state(): Scope.State.Open | Scope.State.Closed | Scope.State.Empty {
    return this.#state
  }
  set state(state: Scope.State.Open | Scope.State.Closed | Scope.State.Empty) {
    this.#state = state
    if (state._tag === "Open") this.graph.acquires(this)
  }

  /** `true` until its build has ended. */
  get isUnbuilt(): boolean {
    return this.build === "pending" || this.isBuilding
  }

  /** `true` while it is being built. */
  get isBuilding(): boolean {
    return typeof this.build === "object"
  }

  /** `true` if its own scope has what it acquired, which this node releases. */
  get ownsScope(): boolean {
    return this.scope === this
  }

  /** `true` once it was released. For a child of a foreign memo map that is known only once the job's own layers stand. */
  get hasEnded(): boolean {
    return this.#sharers === 0
  }

  /** The name of the span or the effect that built it, if there is one. */
  get builder(): string | undefined {
    return this.graph.builder(this)
  }

  serviceNames(): ReadonlyArray<string> {
    return this.graph.serviceNames(this)
  }

  get<RIn, E, ROut>(
    layer: Layer.Layer<ROut, E, RIn>,
    scope: Scope.Scope
  ): Effect.Effect<Context.Context<ROut>, E, RIn> | undefined {
    if (this.foreignMemoMap !== undefined) return this.foreignMemoMap.get(layer, scope)
    // a fork of this memo map asks it first: it is answered with the build, which is recorded so
    const fork = this.graph.fork(this)
    const known = (fork ?? this).shared.get(layer)
    if (known !== undefined) {
      if (known.isCovered) this.graph.uncover(known)
      return outputOf<ROut, E>(known.#share(scope))
    }
    return fork === undefined ? undefined : Layer.buildWithMemoMap(layer, fork, scope)
  }

  getOrElseMemoize<RIn, E, ROut>(
    layer: Layer.Layer<ROut, E, RIn>,
    scope: Scope.Scope,
    build: (memoMap: Layer.MemoMap, scope: Scope.Scope) => Effect.Effect<Context.Context<ROut>, E, RIn>
  ): Effect.Effect<Context.Context<ROut>, E, RIn> {
    if (this.foreignMemoMap !== undefined) return this.#buildIn(this.foreignMemoMap, layer, scope, build)
    return Effect.suspend(() => {
      let child: LayerNode<S> | undefined
      // once a layer is shared, an interrupt must reach the others that wait for it
      return Effect.onExitPrimitive(
        Effect.suspend(() => {
          const parent = this.#parentIn(scope)
          const covers = parent !== undefined && parent.#covers
          const known = this.shared.get(layer)
          if (known !== undefined) {
            if (known.isCovered && !covers) this.graph.uncover(known)
            if (parent !== undefined) parent.#add(known)
            return outputOf<ROut, E>(known.#share(scope))
          }
          const node = child = new LayerNode(this.graph, this.shared, layer, undefined, covers)
          node.scope = node
          if (parent === undefined) this.graph.beginOutermost(node)
          else parent.#add(node)
          this.shared.add(layer, node)
          const { state } = scope
          if (state._tag === "Closed") {
            return Effect.flatMap(node.unshareOne(state.exit), () => this.graph.begin(node, build))
          }
          addKeyedFinalizer(scope, node, node.unshareOne)
          return this.graph.begin(node, build)
        }),
        (exit) => child === undefined ? undefined : this.graph.end(child, exit)
      )
    })
  }

  #buildIn<RIn, E, ROut>(
    memoMap: Layer.MemoMap,
    layer: Layer.Layer<ROut, E, RIn>,
    scope: Scope.Scope,
    build: (memoMap: Layer.MemoMap, scope: Scope.Scope) => Effect.Effect<Context.Context<ROut>, E, RIn>
  ): Effect.Effect<Context.Context<ROut>, E, RIn> {
    const child = new LayerNode(this.graph, this.shared, layer, memoMap)
    this.#add(child)
    const built = memoMap.getOrElseMemoize(layer, scope, (_, scope) => {
      child.scope = scope
      return this.graph.track(child, build)
    })
    if (!this.graph.isSealed) return built
    const end = Effect.sync(() => {
      child.#sharers = 0
    })
    return Effect.andThen(Scope.addFinalizer(scope, end), built)
  }

  /** Records the end of its build. The output is kept for those that share it until it is released, and for the graph. */
  end(exit: Exit.Exit<Context.Context<never>, unknown>): void {
    if (this.ownsScope ? this.#sharers > 0 : !this.graph.isSealed) this.exit = exit
    if (this.#built !== undefined) Deferred.doneUnsafe(this.#built, exit)
    this.#built = undefined
  }

  /** No longer shares it: it was interrupted before its build began. */
  unshare(): void {
    if (this.layer !== undefined) this.shared.delete(this.layer, this)
  }

  #add(child: LayerNode<S>): void {
    if (child.outer === this) return
    this.children ??= new LayerChildren()
    if (child.outer === undefined) {
      child.outer = this
      this.children.add(child, this.graph.isSealed)
    } else this.children.share(child, this.graph.isSealed)
  }

  /** `true` if the layers inside it belong to a declared service. */
  get #covers(): boolean {
    return this.isCovered || this.service?.isManaged === true
  }

  /** Returns the parent of a layer that is built in a scope: this one or, if this is only a memo map, the layer with that scope. */
  #parentIn(scope: Scope.Scope): LayerNode<S> | undefined {
    if (this.layer !== undefined || this.foreignMemoMap !== undefined) return this
    let outermost = scope
    while (outermost.parent !== undefined) outermost = outermost.parent
    // safe: the nodes of a graph have services of one kind
    return outermost instanceof LayerNode && outermost.graph === this.graph ? outermost as LayerNode<S> : undefined
  }

  /** Returns its output for one more scope, which counts from now on: the node lasts until that scope closes. */
  #share(scope: Scope.Scope): Effect.Effect<Context.Context<never>, unknown> {
    if (addKeyedFinalizer(scope, this, this.unshareOne)) this.#sharers++
    return this.exit ?? Deferred.await(this.#built ??= Deferred.makeUnsafe())
  }

  /** The last scope that shares it releases it. */
  readonly unshareOne = (exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> => {
    if (--this.#sharers > 0) return Effect.void
    this.unshare()
    return this.graph.release(this, exit)
  }
}

/** Types the output of a node as that of its layer. */
const outputOf = <A, E>(
  context: Effect.Effect<Context.Context<never>, unknown>
): Effect.Effect<Context.Context<A>, E> =>
  // safe: the node was built of that layer
  context as Effect.Effect<Context.Context<A>, E>
