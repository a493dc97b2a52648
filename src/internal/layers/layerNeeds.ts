import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { LayerNode, NodeService } from "./layerNode.ts"

const noNodes: ReadonlyArray<never> = []
const noNames: ReadonlyArray<string> = []

/** The needs of each layer: the layers whose values it was given, and those built inside it. */
export class LayerNeeds<S extends NodeService> {
  /** The nodes that built the layers that other memo maps share. */
  readonly #builders = new Map<Layer.Any, LayerNode<S>>()

  /** Adds the node that built a layer which another memo map shares. */
  addBuilder(layer: Layer.Any, node: LayerNode<S>): void {
    this.#builders.set(layer, node)
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
    if (hasNone(node)) return noNodes
    const found = new Set<S>()
    this.#visitNeeds(node, ({ service }) => service !== undefined && found.add(service))
    return found.size === 0 ? noNodes : [...found]
  }

  /** Their names, including those of forgotten children. */
  serviceNames(node: LayerNode<S>): ReadonlyArray<string> {
    if (hasNone(node)) return noNames
    const found = new Set<string>(node.children?.formerNames)
    this.#visitNeeds(node, ({ children, service }) => {
      if (service !== undefined) found.add(service.name)
      else for (const name of children?.formerNames ?? noNames) found.add(name)
    })
    return found.size === 0 ? noNames : [...found]
  }

  #visitNeeds(node: LayerNode<S>, visit: (need: LayerNode<S>) => void): void {
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

/** Returns true for a layer that needs no others. Most graphs are wide and flat. */
const hasNone = <S extends NodeService>({ children, given }: LayerNode<S>): boolean =>
  given.size === 0 && children === undefined
