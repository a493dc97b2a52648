import type * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import type { ContextReads } from "./contextReads.ts"
import { LayerChildren } from "./layerChildren.ts"

/** A service as the graph of layers sees it. */
export interface NodeService {
  readonly name: string
  readonly hasStopped: boolean
}

/** The graph as its nodes see it. */
export interface NodeGraph<S extends NodeService> {
  /** `true` once the job's own layers stand. */
  readonly isSealed: boolean
  sharedNode(layer: Layer.Any): LayerNode<S> | undefined
  share(layer: Layer.Any, node: LayerNode<S>): void
  unshare(node: LayerNode<S>): void
  track<A, E, R>(
    node: LayerNode<S>,
    build: () => Effect.Effect<Context.Context<A>, E, R>
  ): Effect.Effect<Context.Context<A>, E, R>
  begin<A, E, R>(
    node: LayerNode<S>,
    build: () => Effect.Effect<Context.Context<A>, E, R>
  ): Effect.Effect<Context.Context<A>, E, R>
  end(node: LayerNode<S>, exit: Exit.Exit<Context.Context<never>, unknown>): Effect.Effect<void> | undefined
  serviceNames(node: LayerNode<S>): ReadonlyArray<string>
  readonly release: (service: S, exit: Exit.Exit<unknown, unknown>) => Effect.Effect<void>
}

export const noMakers: ReadonlyMap<never, ReadonlyArray<string>> = new Map<never, ReadonlyArray<string>>()

/**
 * One layer that is built. It is also the memo map for the layers built inside it, its children, and itself the entry that
 * they share, so that a layer needs no entry in another memo map. There are many nodes: what most of them do not need is
 * created on demand.
 */
export class LayerNode<S extends NodeService> implements Layer.MemoMap {
  readonly graph: NodeGraph<S>
  readonly layer: Layer.Any | undefined
  /** The memo map that keeps the children, if that is not the graph. */
  readonly foreignMemoMap: Layer.MemoMap | undefined
  /** The layers whose values it was given, each with the keys of its values. */
  given: ReadonlyMap<LayerNode<S>, ReadonlyArray<string>> = noMakers
  children: LayerChildren<LayerNode<S>> | undefined
  /** The keys that it asked for, if it was given values of several layers. */
  reads: ContextReads | undefined
  /** The service that this layer is, if it is one. */
  service: S | undefined
  /** The scope that it is built in; there is none if another node has built this layer before. */
  scope: Scope.Scope | undefined
  /** The same scope, if this node closes it. */
  ownScope: Scope.Closeable | undefined
  /** The progress of its build. */
  build: "pending" | "begun" | "ended" = "pending"
  /** The result of its build, as long as somebody may need it. */
  exit: Exit.Exit<Context.Context<never>, unknown> | undefined
  /** Those that share it wait here until it is built. */
  #built: Deferred.Deferred<Context.Context<never>, unknown> | undefined
  /** The number of scopes that share it. */
  #sharers = 1

  constructor(graph: NodeGraph<S>, layer?: Layer.Any, foreignMemoMap?: Layer.MemoMap) {
    this.graph = graph
    this.layer = layer
    this.foreignMemoMap = foreignMemoMap
  }

  get "~effect/Layer/MemoMap"() {
    return "~effect/Layer/MemoMap" as const
  }

  /** `true` once it was released. For a child of a foreign memo map that is known only once the job's own layers stand. */
  get hasEnded(): boolean {
    return this.#sharers === 0
  }

  serviceNames(): ReadonlyArray<string> {
    return this.graph.serviceNames(this)
  }

  get<RIn, E, ROut>(layer: Layer.Layer<ROut, E, RIn>, scope: Scope.Scope) {
    if (this.foreignMemoMap !== undefined) return this.foreignMemoMap.get(layer, scope)
    const known = this.graph.sharedNode(layer)
    return known === undefined ? undefined : outputOf<ROut, E>(known.#share(scope))
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
          const known = this.graph.sharedNode(layer)
          if (known !== undefined) {
            this.#add(known)
            return outputOf<ROut, E>(known.#share(scope))
          }
          const node = child = new LayerNode(this.graph, layer)
          const own = node.scope = node.ownScope = Scope.makeUnsafe()
          this.#add(node)
          this.graph.share(layer, node)
          return Effect.flatMap(
            Scope.addFinalizerExit(scope, node.#unshareOne),
            () => this.graph.begin(node, () => build(node, own))
          )
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
    const child = new LayerNode(this.graph, layer, memoMap)
    this.#add(child)
    const built = memoMap.getOrElseMemoize(layer, scope, (_, scope) => {
      child.scope = scope
      return this.graph.track(child, () => build(child, scope))
    })
    if (!this.graph.isSealed) return built
    const end = Effect.sync(() => {
      child.#sharers = 0
    })
    return Effect.andThen(Scope.addFinalizer(scope, end), built)
  }

  /** Records the end of its build. The output is kept for those that share it until it is released, and for the graph. */
  end(exit: Exit.Exit<Context.Context<never>, unknown>): void {
    if (this.ownScope === undefined ? !this.graph.isSealed : this.#sharers > 0) this.exit = exit
    if (this.#built !== undefined) Deferred.doneUnsafe(this.#built, exit)
    this.#built = undefined
  }

  #add(child: LayerNode<S>): void {
    // nobody asks for the children of the job's root memo map
    if (this.layer === undefined && this.foreignMemoMap === undefined) return
    this.children ??= new LayerChildren()
    this.children.add(child, this.graph.isSealed)
  }

  /** Returns its output for one more scope, which counts from now on: the node lasts until that scope closes. */
  #share(scope: Scope.Scope): Effect.Effect<Context.Context<never>, unknown> {
    if (scope.state._tag !== "Closed") {
      this.#sharers++
      Effect.runSync(Scope.addFinalizerExit(scope, this.#unshareOne))
    }
    return this.exit ?? Deferred.await(this.#built ??= Deferred.makeUnsafe())
  }

  /** The last scope that shares it releases it. */
  readonly #unshareOne = (exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> => {
    if (--this.#sharers > 0) return Effect.void
    this.graph.unshare(this)
    this.exit = undefined
    if (this.service !== undefined) return this.graph.release(this.service, exit)
    return this.ownScope === undefined ? Effect.void : Scope.close(this.ownScope, exit)
  }
}

/** Types the output of a node as that of its layer. */
const outputOf = <A, E>(
  context: Effect.Effect<Context.Context<never>, unknown>
): Effect.Effect<Context.Context<A>, E> =>
  // safe: the node was built of that layer
  context as Effect.Effect<Context.Context<A>, E>
