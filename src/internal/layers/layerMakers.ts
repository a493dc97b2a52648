import type * as Context from "effect/Context"
import type * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import { entriesOf } from "./contextReads.ts"
import { type LayerNode, type NodeService, noMakers } from "./layerNode.ts"

/** A value and the layer that made it. Other layers may have made other values for the same key before. */
interface Made<S extends NodeService> {
  readonly value: unknown
  readonly node: LayerNode<S>
  readonly before: Made<S> | undefined
}

type Makers<S extends NodeService> = ReadonlyMap<LayerNode<S>, ReadonlyArray<string>>

/** Knows which layer made which value: a layer that is given a value depends on the layer that made it. */
export class LayerMakers<S extends NodeService> {
  readonly #makers = new Map<string, Made<S>>()
  /** The nodes built since the makers were last looked up. */
  #unindexed: Array<LayerNode<S>> = []
  #lastGiven: { readonly context: Context.Context<never>; readonly makers: Makers<S> } | undefined

  /** Adds a layer that was built. Its values count once it has its result. */
  add(node: LayerNode<S>): void {
    this.#unindexed.push(node)
  }

  /** Returns the layers that made the values of a context, each with the keys of its values. */
  of(context: Context.Context<never>): Makers<S> {
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

  /** Forgets what a released layer had made. */
  delete(node: LayerNode<S>, output: Context.Context<never>): void {
    this.#lastGiven = undefined
    if (this.#makers.size === 0) return
    for (const key of output.mapUnsafe.keys()) {
      const first = this.#makers.get(key)
      const left = first === undefined ? undefined : without(first, node)
      if (left === first) continue
      if (left === undefined) this.#makers.delete(key)
      else this.#makers.set(key, left)
    }
  }

  /** Indexes what was built. Most graphs are wide and flat: the index is brought up to date only when a layer is given a context that differs from its siblings'. */
  #index(): void {
    if (this.#unindexed.length === 0) return
    for (const node of this.#unindexed) {
      const output = outputIn(node.exit)
      if (output !== undefined) { for (const [key, value] of output.mapUnsafe) this.#setMaker(key, value, node) }
    }
    this.#unindexed = []
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
}

/** Returns what a layer provides, if its build succeeded. */
export const outputIn = (
  exit: Exit.Exit<Context.Context<never>, unknown> | undefined
): Context.Context<never> | undefined => exit?._tag === "Success" ? exit.value : undefined

/** Returns the makers of a key without one of them. */
const without = <S extends NodeService>(made: Made<S>, node: LayerNode<S>): Made<S> | undefined => {
  if (made.node === node) return made.before
  const before = made.before === undefined ? undefined : without(made.before, node)
  return before === made.before ? made : { ...made, before }
}
