import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { ContextReads, entriesOf, observed } from "./contextReads.ts"
import { LayerNode, type NodeGraph, type NodeService, noMakers } from "./layerNode.ts"
import { hasOwnFinalizer } from "./ownFinalizers.ts"
import { SharedLayers } from "./sharedLayers.ts"

/** The callbacks for layers that are services. */
export interface ServiceHooks<S extends NodeService> {
  /** Returns the monotonic milliseconds. */
  readonly now: () => number
  /** A layer that nobody declared as a service has something to release, since `startedAt` in monotonic milliseconds. */
  readonly adopt: (node: LayerNode<S>, output: Context.Context<never> | undefined, startedAt: number) => S
  /** The build of a service's layer has ended: it succeeded, failed or was interrupted. */
  readonly ended: (service: S, exit: Exit.Exit<unknown, unknown>) => Effect.Effect<void> | undefined
  /** The last scope that a service's layer was built for closes. */
  readonly release: (service: S, exit: Exit.Exit<unknown, unknown>) => Effect.Effect<void>
}

const noNodes: ReadonlyArray<never> = []
const noNames: ReadonlyArray<string> = []

/** A value and the layer that made it. Other layers may have made other values for the same key before. */
interface Made<S extends NodeService> {
  readonly value: unknown
  readonly node: LayerNode<S>
  readonly before: Made<S> | undefined
}

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
  readonly #makers = new Map<string, Made<S>>()
  /** The nodes that built the layers that other memo maps share. */
  readonly #builders = new Map<Layer.Any, LayerNode<S>>()
  /** The nodes built since the makers were last looked up. */
  #unindexed: Array<LayerNode<S>> = []
  #lastGiven:
    | { readonly context: Context.Context<never>; readonly makers: ReadonlyMap<LayerNode<S>, ReadonlyArray<string>> }
    | undefined

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
    build: () => Effect.Effect<Context.Context<A>, E, R>
  ): Effect.Effect<Context.Context<A>, E, R> {
    return Effect.onExitPrimitive(Effect.suspend(() => this.begin(node, build)), (exit) => this.end(node, exit))
  }

  /** Begins a build on the current fiber and records whose values the layer is given. `end` must follow. */
  begin<A, E, R>(
    node: LayerNode<S>,
    build: () => Effect.Effect<Context.Context<A>, E, R>
  ): Effect.Effect<Context.Context<A>, E, R> {
    node.build = "begun"
    node.startedAt = this.#hooks.now()
    const context = Fiber.getCurrent()?.context
    if (context !== undefined) this.give(node, context)
    if (node.given.size < 2) return build()
    const reads = node.reads = new ContextReads()
    return Effect.updateContext(Effect.suspend(build), (context: Context.Context<R>) => observed(context, reads))
  }

  /** Ends a build: records its output, then lets those go on that share the layer. */
  end(node: LayerNode<S>, exit: Exit.Exit<Context.Context<never>, unknown>): Effect.Effect<void> | undefined {
    node.reads?.close()
    // an interrupt before the build began: no scope may know of the node
    if (node.build === "pending") node.unshare()
    node.build = "ended"
    if (this.#hasToRelease(node)) {
      node.service = this.#hooks.adopt(node, outputIn(exit), node.startedAt)
    }
    const ending = node.service === undefined ? undefined : this.#hooks.ended(node.service, exit)
    if (ending !== undefined) return Effect.map(ending, () => this.#made(node, exit))
    this.#made(node, exit)
    return undefined
  }

  #made(node: LayerNode<S>, exit: Exit.Exit<Context.Context<never>, unknown>): void {
    if (!node.ownsScope && node.layer !== undefined && !this.#isSealed) this.#builders.set(node.layer, node)
    // before those go on that wait for it; one that was released meanwhile has nothing to give any longer
    if (exit._tag === "Success" && !node.hasEnded) this.#unindexed.push(node)
    node.end(exit)
  }

  uncover(node: LayerNode<S>): void {
    if (!node.isCovered) return
    node.isCovered = false
    for (const child of node.children?.nodes ?? noNodes) this.uncover(child)
    if (node.exit === undefined || !this.#hasToRelease(node)) return
    node.service = this.#hooks.adopt(node, outputIn(node.exit), node.startedAt)
    this.#hooks.ended(node.service, node.exit)
  }

  /** Returns true if a layer is no service yet, and has finalizers of its own: those of the layers inside it are their own. */
  #hasToRelease(node: LayerNode<S>): boolean {
    if (node.service !== undefined || node.isCovered || !node.ownsScope || node.state._tag !== "Open") return false
    return hasOwnFinalizer(
      node,
      () => new Set(Array.from(node.children?.nodes ?? noNodes, (child) => child.unshareOne))
    )
  }

  release(node: LayerNode<S>, exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> {
    const { exit: built } = node
    const output = outputIn(built)
    node.exit = undefined
    if (this.#isSealed && output !== undefined) this.#unmake(node, output)
    // a layer may acquire something after its build
    if (this.#hasToRelease(node)) {
      node.service = this.#hooks.adopt(node, output, this.#hooks.now())
      if (built !== undefined) this.#hooks.ended(node.service, built)
    }
    return node.service === undefined ? Scope.close(node, exit) : this.#hooks.release(node.service, exit)
  }

  /** Records whose values a layer is given. */
  give(node: LayerNode<S>, context: Context.Context<never>): void {
    node.given = this.#makersOf(context)
  }

  /** Indexes what was built. Most graphs are wide and flat: the index is brought up to date only when a layer is given a context that differs from its siblings'. */
  #index(): void {
    if (this.#unindexed.length === 0) return
    for (const node of this.#unindexed) {
      if (node.exit?._tag !== "Success") continue
      node.exit.value.mapUnsafe.forEach((value, key) => this.#setMaker(key, value, node))
    }
    this.#unindexed = []
  }

  #makersOf(context: Context.Context<never>): ReadonlyMap<LayerNode<S>, ReadonlyArray<string>> {
    // siblings are built with one and the same context, whose values were all made before it
    if (this.#lastGiven?.context === context) return this.#lastGiven.makers
    this.#index()
    let makers: Map<LayerNode<S>, ReadonlyArray<string>> | undefined
    if (this.#makers.size > 0) {
      for (const [key, value] of entriesOf(context)) {
        const maker = this.#makerOf(key, value)
        if (maker === undefined) continue
        makers ??= new Map()
        makers.set(maker, [...makers.get(maker) ?? [], key])
      }
    }
    this.#lastGiven = { context, makers: makers ?? noMakers }
    return this.#lastGiven.makers
  }

  #makerOf(key: string, value: unknown): LayerNode<S> | undefined {
    for (let made = this.#makers.get(key); made !== undefined; made = made.before) {
      if (made.value === value) return made.node
    }
    return undefined
  }

  /** The first layer that made a value is its maker until it is released: the same value may be made anew. */
  #setMaker(key: string, value: unknown, node: LayerNode<S>): void {
    // the result of a build has the memo map that built it: only that of a service tells who made it
    if (key === Layer.CurrentMemoMap.key && value !== node) return
    const known = this.#makerOf(key, value)
    if (known !== undefined && !known.hasEnded && known.service?.hasStopped !== true) return
    this.#makers.set(key, { value, node, before: this.#makers.get(key) })
  }

  /** Forgets what a released layer had made. */
  #unmake(node: LayerNode<S>, output: Context.Context<never>): void {
    this.#lastGiven = undefined
    for (const key of output.mapUnsafe.keys()) {
      const first = this.#makers.get(key)
      const left = first === undefined ? undefined : without(first, node)
      if (left === first) continue
      if (left === undefined) this.#makers.delete(key)
      else this.#makers.set(key, left)
    }
  }

  /** A layer is built once: if it is asked for again, the node that built it has its dependencies. */
  #builder(node: LayerNode<S>): LayerNode<S> {
    if (node.scope !== undefined || node.layer === undefined) return node
    return this.#builders.get(node.layer) ?? node
  }

  #childrenOf(node: LayerNode<S>): ReadonlyArray<LayerNode<S>> {
    return node.children === undefined ? noNodes : Array.from(node.children.nodes, (child) => this.#builder(child))
  }

  /** The scopes of the unmanaged layers that were built inside a layer: a memo map gives each one of its own. */
  scopesWithin(node: LayerNode<S>): ReadonlyArray<Scope.Scope> {
    const found: Array<Scope.Scope> = []
    const visited = new Set<LayerNode<S>>([node])
    const visit = (node: LayerNode<S>) => {
      for (const child of this.#childrenOf(node)) {
        if (child.service !== undefined || visited.has(child)) continue
        visited.add(child)
        if (child.scope !== undefined) found.push(child.scope)
        visit(child)
      }
    }
    visit(node)
    return found
  }

  /** The services that a layer needs, through whatever unmanaged layers stand between. */
  services(node: LayerNode<S>): ReadonlyArray<S> {
    const found = new Set<S>()
    this.#visitNeeds(node, ({ service }) => service !== undefined && found.add(service))
    return found.size === 0 ? noNodes : [...found]
  }

  /** Their names, including those of forgotten children. */
  serviceNames(node: LayerNode<S>): ReadonlyArray<string> {
    const found = new Set<string>(node.children?.formerNames)
    this.#visitNeeds(node, ({ children, service }) => {
      if (service !== undefined) found.add(service.name)
      else for (const name of children?.formerNames ?? noNames) found.add(name)
    })
    return found.size === 0 ? noNames : [...found]
  }

  #visitNeeds(node: LayerNode<S>, visit: (need: LayerNode<S>) => void): void {
    if (node.given.size === 0 && node.children === undefined) return
    const visited = new Set<LayerNode<S>>([node])
    const walk = (needs: Iterable<LayerNode<S>>) => {
      for (const need of needs) {
        if (visited.has(need)) continue
        visited.add(need)
        visit(need)
        if (need.service === undefined) walk(this.#needsOf(need))
      }
    }
    walk(this.#needsOf(node))
  }

  /**
   * The layers that a layer was given and those built inside it, without those that it was only given in passing: it never
   * asked for them, and another layer that it was given needs them.
   */
  #needsOf(node: LayerNode<S>): Iterable<LayerNode<S>> {
    const all = this.#allOf(node)
    const { reads } = node
    if (reads === undefined || reads.wereCopied) return all
    const asked = new Set<LayerNode<S>>()
    for (const [maker, keys] of node.given) {
      if (keys.some((key) => reads.keys.has(key))) asked.add(maker)
    }
    if (asked.size === 0) return all
    const beneath = new Set<LayerNode<S>>()
    const descend = (node: LayerNode<S>) => {
      for (const need of this.#allOf(node)) {
        if (beneath.has(need)) continue
        beneath.add(need)
        descend(need)
      }
    }
    for (const maker of node.given.keys()) descend(maker)
    return all.filter((need) => !node.given.has(need) || asked.has(need) || !beneath.has(need))
  }

  #allOf(node: LayerNode<S>): Array<LayerNode<S>> {
    return [...node.given.keys(), ...this.#childrenOf(node)]
  }
}

const outputIn = (exit: Exit.Exit<Context.Context<never>, unknown> | undefined): Context.Context<never> | undefined =>
  exit?._tag === "Success" ? exit.value : undefined

/** Returns the memo map that a memo map is a fork of. Effect's own tell; another one may not. */
const parentOf = (memoMap: Layer.MemoMap): Layer.MemoMap | undefined =>
  // safe: whatever else it is has no entry in a graph
  "parent" in memoMap ? memoMap.parent as Layer.MemoMap | undefined : undefined

/** Returns the makers of a key without one of them. */
const without = <S extends NodeService>(made: Made<S>, node: LayerNode<S>): Made<S> | undefined => {
  if (made.node === node) return made.before
  const before = made.before === undefined ? undefined : without(made.before, node)
  return before === made.before ? made : { ...made, before }
}
