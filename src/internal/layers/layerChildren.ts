import type { Node } from "./layerNode.ts"

/** Fewer than these are not looked through for those that have ended. */
const fewest = 16

/**
 * The layers built inside a layer, or shared with those that had built them before. What a service builds while it runs,
 * it may build again and again: those that have ended are let go, but for the names of their services.
 */
export class Parts {
  readonly nodes = new Set<Node>()
  /** The services of those that were let go. */
  readonly past = new Set<string>()
  #most = fewest

  add(node: Node): void {
    if (node.graph.sealed && this.nodes.size >= this.#most) this.#letGo()
    this.nodes.add(node)
  }

  #letGo(): void {
    for (const node of this.nodes) {
      const { graph, service } = node
      // one that other memo maps keep may be shared yet
      if (!node.hasEnded || (service !== undefined && service.state._tag !== "stopped")) continue
      this.nodes.delete(node)
      for (const name of service === undefined ? graph.namesNeededBy(node) : [service.name]) this.past.add(name)
    }
    this.#most = Math.max(fewest, 2 * this.nodes.size)
  }
}
