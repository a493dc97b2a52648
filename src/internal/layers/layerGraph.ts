import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { Node, nothing } from "./layerNode.ts"
import type { ServiceRecord } from "../service/serviceState.ts"
import { look, observed, Reads } from "./contextReads.ts"

/** What the graph tells of those of its layers that are managed services. */
interface Services {
  /** Its build has ended: it succeeded, failed or was interrupted. */
  readonly ended: (record: ServiceRecord, exit: Exit.Exit<unknown, unknown>) => Effect.Effect<void> | undefined
  /** The last scope that its layer was built for closes. */
  readonly release: (record: ServiceRecord, exit: Exit.Exit<unknown, unknown>) => Effect.Effect<void>
}

const none: ReadonlyArray<Node> = []
const noServices: ReadonlyArray<ServiceRecord> = []
const noNames: ReadonlyArray<string> = []

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
  /**
   * Set once the job's own layers stand: those that `run` provides, perhaps again and again, depend on what was made
   * before, and are not remembered.
   */
  sealed = false
  readonly release: Services["release"]
  readonly #ended: Services["ended"]
  /** What is built once, however many ask for it, as long as somebody needs it. */
  readonly #shared = new Map<Layer.Any, Node>()
  readonly #makers = new Map<string, Made>()
  readonly #builders = new Map<Layer.Any, Node>()
  /** What was built since the last time that somebody asked. */
  #unread: Array<Node> = []
  #seen:
    | { readonly context: Context.Context<never>; readonly makers: ReadonlyMap<Node, ReadonlyArray<string>> }
    | undefined

  constructor({ ended, release }: Services) {
    this.#ended = ended
    this.release = release
  }

  memoMap(): Layer.MemoMap {
    return new Node(this)
  }

  sharedBy(layer: Layer.Any): Node | undefined {
    return this.#shared.get(layer)
  }

  share(layer: Layer.Any, node: Node): void {
    this.#shared.set(layer, node)
  }

  unshare(node: Node): void {
    if (node.layer !== undefined && this.#shared.get(node.layer) === node) this.#shared.delete(node.layer)
  }

  /** Runs the build of one layer as `node`. */
  track<A, E, R>(
    node: Node,
    build: () => Effect.Effect<Context.Context<A>, E, R>
  ): Effect.Effect<Context.Context<A>, E, R> {
    return Effect.onExitPrimitive(Effect.suspend(() => this.begin(node, build)), (exit) => this.end(node, exit))
  }

  /** Begins a build, on the fiber that it runs on: notes whose values it is given. `end` must follow. */
  begin<A, E, R>(
    node: Node,
    build: () => Effect.Effect<Context.Context<A>, E, R>
  ): Effect.Effect<Context.Context<A>, E, R> {
    node.begun = true
    const context = Fiber.getCurrent()?.context
    if (context !== undefined) this.give(node, context)
    if (this.sealed || node.given.size < 2) return build()
    const reads = node.reads = new Reads()
    return Effect.updateContext(Effect.suspend(build), (context: Context.Context<R>) => observed(context, reads))
  }

  /** Ends a build: notes that it made what it returned, and then those that share it go on. */
  end(node: Node, exit: Exit.Exit<Context.Context<never>, unknown>): Effect.Effect<void> | undefined {
    if (node.reads !== undefined) node.reads.closed = true
    // interrupted so early that no scope may know of it
    if (!node.begun) this.unshare(node)
    const ending = node.service === undefined ? undefined : this.#ended(node.service, exit)
    if (ending !== undefined) return Effect.map(ending, () => this.#made(node, exit))
    this.#made(node, exit)
    return undefined
  }

  #made(node: Node, exit: Exit.Exit<Context.Context<never>, unknown>): void {
    if (exit._tag === "Success" && !this.sealed) this.#unread.push(node)
    node.end(exit)
  }

  /** Notes whose values a layer is given. */
  give(node: Node, context: Context.Context<never>): void {
    node.given = this.#makersIn(context)
  }

  /** Most graphs are wide and flat: what was built is read once somebody asks for more than its siblings did. */
  #read(): void {
    for (const node of this.#unread) {
      if (node.layer !== undefined) this.#builders.set(node.layer, node)
      if (node.exit?._tag === "Success") node.exit.value.mapUnsafe.forEach((value, key) => this.#own(key, value, node))
    }
    this.#unread = []
  }

  #makersIn(context: Context.Context<never>): ReadonlyMap<Node, ReadonlyArray<string>> {
    // siblings are built with one and the same context, whose values were all made before it
    if (this.#seen?.context === context) return this.#seen.makers
    this.#read()
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

  /** Who made a value first is its maker, as long as it is there: one and the same may be made anew. */
  #own(key: string, value: unknown, node: Node): void {
    const known = this.#makerOf(key, value)
    if (known !== undefined && !known.hasEnded && known.service?.state._tag !== "stopped") return
    this.#makers.set(key, { value, node, before: this.#makers.get(key) })
  }

  /** A layer is built once: where it is asked for again, it is the node that built it that knows of it. */
  #builder(node: Node): Node {
    if (node.scope !== undefined || node.layer === undefined) return node
    this.#read()
    return this.#builders.get(node.layer) ?? node
  }

  #partsOf(node: Node): ReadonlyArray<Node> {
    return node.parts === undefined ? none : Array.from(node.parts.nodes, (part) => this.#builder(part))
  }

  /** The scopes of the unmanaged layers that were built inside a layer: a memo map gives each one of its own. */
  scopesWithin(node: Node): ReadonlyArray<Scope.Scope> {
    const found: Array<Scope.Scope> = []
    const visited = new Set<Node>([node])
    const visit = (node: Node) => {
      for (const part of this.#partsOf(node)) {
        if (part.service !== undefined || visited.has(part)) continue
        visited.add(part)
        if (part.scope !== undefined) found.push(part.scope)
        visit(part)
      }
    }
    visit(node)
    return found
  }

  /** The services that a layer needs, through whatever unmanaged layers stand between. */
  servicesNeededBy(node: Node): ReadonlyArray<ServiceRecord> {
    const found = new Set<ServiceRecord>()
    this.#visitNeeds(node, ({ service }) => service !== undefined && found.add(service))
    return found.size === 0 ? noServices : [...found]
  }

  /** Their names, also of those that were let go. */
  namesNeededBy(node: Node): ReadonlyArray<string> {
    const found = new Set<string>(node.parts?.past)
    this.#visitNeeds(node, ({ parts, service }) => {
      if (service !== undefined) found.add(service.name)
      else for (const name of parts?.past ?? noNames) found.add(name)
    })
    return found.size === 0 ? noNames : [...found]
  }

  #visitNeeds(node: Node, visit: (need: Node) => void): void {
    if (node.given.size === 0 && node.parts === undefined) return
    const visited = new Set<Node>([node])
    const walk = (needs: Iterable<Node>) => {
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
   * What a layer was given and what was built inside it, less what was only passed by: a value that it never asked
   * for, and that something else it was given needs.
   */
  #needsOf(node: Node): Iterable<Node> {
    const all = this.#allOf(node)
    const { reads } = node
    if (reads === undefined || reads.copied) return all
    const asked = new Set<Node>()
    for (const [maker, keys] of node.given) {
      if (keys.some((key) => reads.keys.has(key))) asked.add(maker)
    }
    if (asked.size === 0) return all
    const beneath = new Set<Node>()
    const descend = (node: Node) => {
      for (const need of this.#allOf(node)) {
        if (beneath.has(need)) continue
        beneath.add(need)
        descend(need)
      }
    }
    for (const maker of node.given.keys()) descend(maker)
    return all.filter((need) => !node.given.has(need) || asked.has(need) || !beneath.has(need))
  }

  #allOf(node: Node): Array<Node> {
    return [...node.given.keys(), ...this.#partsOf(node)]
  }
}
