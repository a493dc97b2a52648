import type * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import type { LayerGraph } from "./layerGraph.ts"
import { Parts } from "./layerChildren.ts"
import type { Reads } from "./contextReads.ts"
import type { ServiceRecord } from "../service/serviceState.ts"

export const nothing: ReadonlyMap<Node, ReadonlyArray<string>> = new Map()

/**
 * One layer that is built, and the memo map for those that are built inside it, which are its parts. It is itself what
 * they share, so that a layer needs no entry in another memo map. There are many: what most of them do not need is not
 * there.
 */
export class Node implements Layer.MemoMap {
  readonly graph: LayerGraph
  readonly layer: Layer.Any | undefined
  /** The memo map that keeps what is built inside it, where that is not the graph. */
  readonly others: Layer.MemoMap | undefined
  /** The layers whose values it was given, each with the keys of its values. */
  given: ReadonlyMap<Node, ReadonlyArray<string>> = nothing
  /** The layers built inside it, or shared with those that had built them before. */
  parts: Parts | undefined
  /** What it asked for, where it was given values of several layers. */
  reads: Reads | undefined
  /** The managed service that this layer is, if it is one. */
  service: ServiceRecord | undefined
  /** The scope that it is built in; there is none where another node has built this layer before. */
  scope: Scope.Scope | undefined
  /** The same, where it is this node that closes it. */
  own: Scope.Closeable | undefined
  /** Its build has begun. */
  begun = false
  /** How its build ended. */
  exit: Exit.Exit<Context.Context<never>, unknown> | undefined
  /** Where those wait that share it before it is built. */
  #waiting: Deferred.Deferred<Context.Context<never>, unknown> | undefined
  /** How many scopes it is shared by. */
  #sharers = 1

  constructor(graph: LayerGraph, layer?: Layer.Any, others?: Layer.MemoMap) {
    this.graph = graph
    this.layer = layer
    this.others = others
  }

  get "~effect/Layer/MemoMap"() {
    return "~effect/Layer/MemoMap" as const
  }

  /** It was released. What other memo maps keep is only seen to be once the job's own layers stand. */
  get hasEnded(): boolean {
    return this.#sharers === 0
  }

  get<RIn, E, ROut>(layer: Layer.Layer<ROut, E, RIn>, scope: Scope.Scope) {
    if (this.others !== undefined) return this.others.get(layer, scope)
    const known = this.graph.sharedBy(layer)
    return known === undefined ? undefined : made<ROut, E>(known.#share(scope))
  }

  getOrElseMemoize<RIn, E, ROut>(
    layer: Layer.Layer<ROut, E, RIn>,
    scope: Scope.Scope,
    build: (memoMap: Layer.MemoMap, scope: Scope.Scope) => Effect.Effect<Context.Context<ROut>, E, RIn>
  ): Effect.Effect<Context.Context<ROut>, E, RIn> {
    if (this.others !== undefined) return this.#buildIn(this.others, layer, scope, build)
    return Effect.suspend(() => {
      let part: Node | undefined
      // whoever is interrupted once a layer is there for others must tell them
      return Effect.onExitPrimitive(
        Effect.suspend(() => {
          const known = this.graph.sharedBy(layer)
          if (known !== undefined) {
            this.#add(known)
            return made<ROut, E>(known.#share(scope))
          }
          const node = part = new Node(this.graph, layer)
          const own = node.scope = node.own = Scope.makeUnsafe()
          this.#add(node)
          this.graph.share(layer, node)
          return Effect.flatMap(
            Scope.addFinalizerExit(scope, node.#leave),
            () => this.graph.begin(node, () => build(node, own))
          )
        }),
        (exit) => part === undefined ? undefined : this.graph.end(part, exit)
      )
    })
  }

  #buildIn<RIn, E, ROut>(
    others: Layer.MemoMap,
    layer: Layer.Layer<ROut, E, RIn>,
    scope: Scope.Scope,
    build: (memoMap: Layer.MemoMap, scope: Scope.Scope) => Effect.Effect<Context.Context<ROut>, E, RIn>
  ): Effect.Effect<Context.Context<ROut>, E, RIn> {
    const part = new Node(this.graph, layer, others)
    this.#add(part)
    const built = others.getOrElseMemoize(layer, scope, (_, scope) => {
      part.scope = scope
      return this.graph.track(part, () => build(part, scope))
    })
    if (!this.graph.sealed) return built
    const end = Effect.sync(() => {
      part.#sharers = 0
    })
    return Effect.andThen(Scope.addFinalizer(scope, end), built)
  }

  /** Its build has ended. What it made is kept for those that share it, until it is released, and for the graph. */
  end(exit: Exit.Exit<Context.Context<never>, unknown>): void {
    if (this.own === undefined ? !this.graph.sealed : this.#sharers > 0) this.exit = exit
    if (this.#waiting !== undefined) Deferred.doneUnsafe(this.#waiting, exit)
    this.#waiting = undefined
  }

  /** Nobody asks for the parts of what is no layer: the memo map of the job itself. */
  #add(part: Node): void {
    if (this.layer === undefined && this.others === undefined) return
    this.parts ??= new Parts()
    this.parts.add(part)
  }

  /** What it has made, for one more scope. That is counted at once: from here on it lasts until that scope closes. */
  #share(scope: Scope.Scope): Effect.Effect<Context.Context<never>, unknown> {
    if (scope.state._tag !== "Closed") {
      this.#sharers++
      Effect.runSync(Scope.addFinalizerExit(scope, this.#leave))
    }
    return this.exit ?? Deferred.await(this.#waiting ??= Deferred.makeUnsafe())
  }

  /** The last scope that shares it releases it. */
  readonly #leave = (exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> => {
    if (--this.#sharers > 0) return Effect.void
    this.graph.unshare(this)
    this.exit = undefined
    if (this.service !== undefined) return this.graph.release(this.service, exit)
    return this.own === undefined ? Effect.void : Scope.close(this.own, exit)
  }
}

/** What a node has made is what its layer makes. */
const made = <A, E>(context: Effect.Effect<Context.Context<never>, unknown>): Effect.Effect<Context.Context<A>, E> =>
  // safe: it was built of that layer
  context as Effect.Effect<Context.Context<A>, E>
