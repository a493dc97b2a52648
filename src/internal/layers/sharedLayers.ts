import type * as Layer from "effect/Layer"

/**
 * The layers of one memo map that are built once, however many ask for them, as long as somebody needs them. A fork of a
 * memo map shares what its parent has, and keeps what it builds to itself.
 */
export class SharedLayers<Node> {
  readonly #nodes = new Map<Layer.Any, Node>()
  readonly #parent: SharedLayers<Node> | undefined

  constructor(parent?: SharedLayers<Node>) {
    this.#parent = parent
  }

  get(layer: Layer.Any): Node | undefined {
    return this.#nodes.get(layer) ?? this.#parent?.get(layer)
  }

  add(layer: Layer.Any, node: Node): void {
    this.#nodes.set(layer, node)
  }

  delete(layer: Layer.Any, node: Node): void {
    if (this.#nodes.get(layer) === node) this.#nodes.delete(layer)
  }
}
