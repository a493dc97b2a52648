/** A layer that was built inside another one, as its parent sees it. */
interface Child {
  /** `true` once the layer was released. */
  readonly hasEnded: boolean
  readonly service: { readonly name: string; readonly hasStopped: boolean } | undefined
  /** The names of the services that it needs. */
  serviceNames(): ReadonlyArray<string>
}

/** Below this size nobody looks for children that have ended. */
const fewest = 16

/**
 * The layers built inside a layer, or shared with the layers that built them before. A running service may build layers
 * again and again: those that have ended are forgotten, except for the names of their services.
 */
export class LayerChildren<Node extends Child> {
  nodes: Array<Node> = []
  /** Those of them that were built inside another layer. */
  #shared: Set<Node> | undefined
  /** The names of the services of forgotten children. */
  readonly formerNames = new Set<string>()
  #limit = fewest

  /** Adds a layer that was built inside another one, unless it is there. */
  share(child: Node, mayForget: boolean): void {
    if (this.isShared(child)) return
    this.#shared ??= new Set()
    this.#shared.add(child)
    this.add(child, mayForget)
  }

  isShared(child: Node): boolean {
    return this.#shared?.has(child) === true
  }

  /** Adds a layer. `mayForget` is `true` once the job's own layers stand. */
  add(child: Node, mayForget: boolean): void {
    if (mayForget && this.nodes.length >= this.#limit) this.#forgetEnded()
    this.nodes.push(child)
  }

  #forgetEnded(): void {
    const kept: Array<Node> = []
    for (const child of this.nodes) {
      const { service } = child
      // a child that another memo map keeps may still be shared
      if (!child.hasEnded || service?.hasStopped === false) {
        kept.push(child)
        continue
      }
      this.#shared?.delete(child)
      for (const name of service === undefined ? child.serviceNames() : [service.name]) this.formerNames.add(name)
    }
    this.nodes = kept
    this.#limit = Math.max(fewest, 2 * kept.length)
  }
}
