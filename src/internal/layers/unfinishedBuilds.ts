import * as Cause from "effect/Cause"
import type * as Exit from "effect/Exit"
import type { LayerNode, NodeService } from "./layerNode.ts"

const noNodes: ReadonlyArray<never> = []

/** The builds of layers that are under way, and those of them that the interrupt of the run is to end. */
export class UnfinishedBuilds<S extends NodeService> {
  /** The layers that no other layer of the graph builds. */
  readonly #outermost = new Set<LayerNode<S>>()
  readonly #interrupted = new Set<LayerNode<S>>()

  /** Adds a layer that no other layer of the graph builds. */
  add(node: LayerNode<S>): void {
    this.#outermost.add(node)
  }

  isOutermost(node: LayerNode<S>): boolean {
    return this.#outermost.has(node)
  }

  /** A build has ended. Returns true if it was the interrupt of the run that ended it. */
  end(node: LayerNode<S>, exit: Exit.Exit<unknown, unknown>): boolean {
    this.#outermost.delete(node)
    if (!this.#interrupted.delete(node) || exit._tag === "Success") return false
    return node.children === undefined || Cause.hasInterruptsOnly(exit.cause)
  }

  /** The run is about to be interrupted. Returns the layers that are being built. */
  interrupt(): ReadonlySet<LayerNode<S>> {
    for (const node of this.#waiting()) this.#interrupted.add(node)
    return this.#interrupted
  }

  /** Returns the layers that are being built, are no services yet, and wait for no other layer. */
  #waiting(): ReadonlySet<LayerNode<S>> {
    const found = new Set<LayerNode<S>>()
    const visit = (node: LayerNode<S>) => {
      if (node.service !== undefined || node.isCovered) return
      const children = [...node.children?.nodes ?? noNodes]
      const within = children.filter((child) => child.isBuilding)
      if (within.length > 0) within.forEach(visit)
      // one whose child has failed fails as well, as soon as the others are released
      else if (node.ownsScope && children.every(({ build }) => build !== "Failure")) found.add(node)
    }
    this.#outermost.forEach(visit)
    return found
  }
}
