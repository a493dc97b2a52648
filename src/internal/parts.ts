import type { Node } from "./node.ts"

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
      if (!node.hasEnded) continue
      this.nodes.delete(node)
      const services = node.service === undefined ? node.graph.servicesNeededBy(node) : [node.service]
      for (const { spec } of services) this.past.add(spec.name)
      for (const name of node.parts?.past ?? []) this.past.add(name)
    }
    this.#most = Math.max(fewest, 2 * this.nodes.size)
  }
}
