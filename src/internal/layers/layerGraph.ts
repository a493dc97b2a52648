import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { ContextReads, observed } from "./contextReads.ts"
import { LayerBuilders } from "./layerBuilders.ts"
import { LayerMakers, outputIn } from "./layerMakers.ts"
import { LayerNeeds } from "./layerNeeds.ts"
import { LayerNode, type NodeBuild, type NodeGraph, type NodeService } from "./layerNode.ts"
import { hasOwnFinalizer } from "./ownFinalizers.ts"
import { SharedLayers } from "./sharedLayers.ts"
import { UnfinishedBuilds } from "./unfinishedBuilds.ts"

/** The callbacks for layers that are services. */
export interface ServiceHooks<S extends NodeService> {
  /** Returns the monotonic milliseconds. */
  readonly now: () => number
  /**
   * A layer that nobody declared as a service has something to release, or does not start. Its start began at `startedAt`, in
   * monotonic milliseconds.
   */
  readonly adopt: (node: LayerNode<S>, output: Context.Context<never> | undefined, startedAt: number) => S
  /** The build of a service's layer has ended: it succeeded, failed or was interrupted. */
  readonly ended: (service: S, exit: Exit.Exit<unknown, unknown>) => Effect.Effect<void> | undefined
  /** The last scope that a service's layer was built for closes. */
  readonly release: (service: S, exit: Exit.Exit<unknown, unknown>) => Effect.Effect<void>
}

const noNodes: ReadonlyArray<never> = []

/**
 * The graph of a job's layers, recorded while they are built: a layer that is given a value depends on the layer that
 * made it. Nothing is declared by hand.
 */
export class LayerGraph<S extends NodeService> implements NodeGraph<S> {
  readonly #hooks: ServiceHooks<S>
  #isSealed = false
  readonly #root = new LayerNode<S>(this, new SharedLayers())
  /** The nodes that build in place of forks of the memo maps of this graph. */
  readonly #forks = new WeakMap<Layer.MemoMap, LayerNode<S>>()
  readonly #makers = new LayerMakers<S>()
  readonly #builders = new LayerBuilders<LayerNode<S>>()
  readonly #unfinished = new UnfinishedBuilds<S>()
  /** The needs of each layer. */
  readonly needs = new LayerNeeds<S>()

  constructor(hooks: ServiceHooks<S>) {
    this.#hooks = hooks
  }

  /** The job's own layers stand: the layers that `run` provides from now on come and go, perhaps again and again. */
  seal(): void {
    this.#isSealed = true
  }

  get isSealed(): boolean {
    return this.#isSealed
  }

  /** The memo map for the job's own layers. */
  get memoMap(): LayerNode<S> {
    return this.#root
  }

  /** Returns the node for a layer that a memo map builds which does not know the graph. */
  foreignNode(memoMap: Layer.MemoMap): LayerNode<S> {
    return new LayerNode<S>(this, this.#root.shared, undefined, memoMap)
  }

  /**
   * `Effect.provide`, `Layer.build` and the like build with a fork of the memo map in their context. Effect makes the forks,
   * and each asks its parent first: the node that answers for it keeps what it builds to that fork.
   */
  fork(node: LayerNode<S>): LayerNode<S> | undefined {
    const context = Fiber.getCurrent()?.context
    const current = context === undefined ? undefined : Context.getOrUndefined(context, Layer.CurrentMemoMap)
    return current === undefined || current instanceof LayerNode ? undefined : this.#forkOf(current, node)
  }

  #forkOf(memoMap: Layer.MemoMap, from: LayerNode<S>): LayerNode<S> | undefined {
    if (memoMap === from) return from
    const known = this.#forks.get(memoMap)
    if (known !== undefined) return known
    const parent = parentOf(memoMap)
    const beneath = parent === undefined ? undefined : this.#forkOf(parent, from)
    if (beneath === undefined) return undefined
    const fork = new LayerNode<S>(this, new SharedLayers(beneath.shared))
    this.#forks.set(memoMap, fork)
    return fork
  }

  /** Runs the build of one layer as `node`. */
  track<A, E, R>(
    node: LayerNode<S>,
    build: NodeBuild<S, A, E, R>
  ): Effect.Effect<Context.Context<A>, E, R> {
    return Effect.onExitPrimitive(Effect.suspend(() => this.begin(node, build)), (exit) => this.end(node, exit))
  }

  /** Begins a build on the current fiber and records whose values the layer is given. `end` must follow. */
  begin<A, E, R>(
    node: LayerNode<S>,
    build: NodeBuild<S, A, E, R>
  ): Effect.Effect<Context.Context<A>, E, R> {
    node.startedAt = this.#hooks.now()
    const fiber = Fiber.getCurrent()
    if (fiber !== undefined) {
      node.build = fiber
      node.given = this.#makers.of(fiber.context)
      this.#builders.begin(fiber, this.#unfinished.isOutermost(node))
    }
    const scope = node.scope ?? node
    if (node.given.size < 2) return build(node, scope)
    const reads = node.reads = new ContextReads()
    return Effect.updateContext(
      Effect.suspend(() => build(node, scope)),
      (context: Context.Context<R>) => observed(context, reads)
    )
  }

  /** Ends a build: records its output, then lets those go on that share the layer. */
  end(node: LayerNode<S>, exit: Exit.Exit<Context.Context<never>, unknown>): Effect.Effect<void> | undefined {
    node.reads?.close()
    // an interrupt before the build began: no scope may know of the node
    if (node.build === "pending") node.unshare()
    node.build = exit._tag
    if (this.#unfinished.end(node, exit)) this.#become(node, undefined, node.startedAt)
    else this.#adopt(node, exit)
    const ending = node.service === undefined ? undefined : this.#hooks.ended(node.service, exit)
    if (ending !== undefined) return Effect.map(ending, () => this.#made(node, exit))
    this.#made(node, exit)
    return undefined
  }

  #made(node: LayerNode<S>, exit: Exit.Exit<Context.Context<never>, unknown>): void {
    if (!node.ownsScope && node.layer !== undefined && !this.#isSealed) this.needs.addBuilder(node.layer, node)
    // before those go on that wait for it; one that was released meanwhile has nothing to give any longer
    if (exit._tag === "Success" && !node.hasEnded) this.#makers.add(node)
    node.end(exit)
  }

  uncover(node: LayerNode<S>): void {
    if (!node.isCovered) return
    node.isCovered = false
    for (const child of node.children?.nodes ?? noNodes) this.uncover(child)
    if (node.exit === undefined) return
    const service = this.#adopt(node, node.exit)
    if (service !== undefined) this.#hooks.ended(service, node.exit)
  }

  /** Makes a layer a service if it is none, and has something to release. It is late if that came after its build. */
  #adopt(
    node: LayerNode<S>,
    exit: Exit.Exit<Context.Context<never>, unknown> | undefined,
    isLate = false
  ): S | undefined {
    if (!this.#hasToRelease(node)) return undefined
    return this.#become(node, outputIn(exit), isLate ? this.#hooks.now() : node.startedAt)
  }

  #become(node: LayerNode<S>, output: Context.Context<never> | undefined, startedAt: number): S {
    return node.service ??= this.#hooks.adopt(node, output, startedAt)
  }

  /** Returns true if a layer is no service yet, and has finalizers of its own: those of the layers inside it are their own. */
  #hasToRelease(node: LayerNode<S>): boolean {
    if (node.service !== undefined || node.isCovered || !node.ownsScope || node.state._tag !== "Open") return false
    return hasOwnFinalizer(node)
  }

  release(node: LayerNode<S>, exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> {
    const { exit: built } = node
    const output = outputIn(built)
    node.exit = undefined
    if (this.#isSealed && output !== undefined) this.#makers.delete(node, output)
    // a layer may acquire something after its build
    const late = this.#adopt(node, built, true)
    if (late !== undefined && built !== undefined) this.#hooks.ended(late, built)
    return node.service === undefined ? Scope.close(node, exit) : this.#hooks.release(node.service, exit)
  }

  beginOutermost(node: LayerNode<S>): void {
    this.#unfinished.add(node)
  }

  acquires(node: LayerNode<S>): void {
    if (node.isBuilding) this.#builders.add(node, Fiber.getCurrent())
  }

  builder(node: LayerNode<S>): string | undefined {
    return this.#builders.nameOf(node)
  }

  /** The run is about to be interrupted: each layer that is being built becomes a service, unless its build succeeds after all. */
  interrupt(): void {
    for (const node of this.#unfinished.interrupt()) {
      if (typeof node.build === "object") this.#builders.add(node, node.build)
    }
  }

  /** Makes each layer a service whose build does not end. */
  adoptHung(): void {
    this.interrupt()
    for (const node of this.#unfinished.interrupt()) this.#become(node, undefined, node.startedAt)
  }

  serviceNames(node: LayerNode<S>): ReadonlyArray<string> {
    return this.needs.serviceNames(node)
  }
}

/** Returns the memo map that a memo map is a fork of. Effect's own tell; another one may not. */
const parentOf = (memoMap: Layer.MemoMap): Layer.MemoMap | undefined =>
  // safe: whatever else it is has no entry in a graph
  "parent" in memoMap ? memoMap.parent as Layer.MemoMap | undefined : undefined
