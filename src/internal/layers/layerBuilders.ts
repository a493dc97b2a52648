import type * as Fiber from "effect/Fiber"
import type { StackFrame } from "effect/References"

type AnyFiber = Fiber.Fiber<unknown, unknown>

/** The name that Effect gives to a frame of an `Effect.fn` without a name. */
const anonymous = "Effect.fn"

/**
 * The spans and the functions of `Effect.fn` that layers were built in, as Effect records them: a fiber knows the innermost
 * one, and that the one around it.
 */
export class LayerBuilders<Node extends object> {
  /** The frames that builds began in. */
  readonly #given = new WeakSet<StackFrame>()
  /** Those of them that come from around all layers, which they do not tell apart. */
  readonly #outer = new WeakSet<StackFrame>()
  readonly #frames = new WeakMap<Node, StackFrame>()

  /** A layer is about to be built by a fiber. `isOutermost` is true if no other layer builds it. */
  begin({ cache: { stackFrame } }: AnyFiber, isOutermost: boolean): void {
    if (stackFrame === undefined) return
    this.#given.add(stackFrame)
    if (isOutermost) this.#outer.add(stackFrame)
  }

  /** Records where a layer acquires something. The first time counts. */
  add(node: Node, fiber: AnyFiber | undefined): void {
    const frame = fiber?.cache.stackFrame
    if (frame !== undefined && !this.#frames.has(node)) this.#frames.set(node, frame)
  }

  /** Returns the name of the outermost effect within a layer that has one, or else of the span around the layer. */
  nameOf(node: Node): string | undefined {
    let frame = this.#frames.get(node)
    if (frame === undefined || this.#outer.has(frame)) return undefined
    while (!this.#given.has(frame)) {
      const around = frameAround(frame)
      if (around === undefined || this.#given.has(around)) break
      frame = around
    }
    return nameOfFrame(frame)
  }
}

/** Returns the place where the function of a frame was defined: Effect records that as a frame, too. */
const definitionOf = ({ name, parent }: StackFrame): StackFrame | undefined =>
  parent?.name === `${name} (definition)` ? parent : undefined

const frameAround = (frame: StackFrame): StackFrame | undefined => (definitionOf(frame) ?? frame).parent

const nameOfFrame = (frame: StackFrame): string | undefined => {
  if (frame.name !== anonymous) return frame.name === "" ? undefined : frame.name
  const place = placeOf(definitionOf(frame) ?? frame)
  return place === undefined ? undefined : `layer (${place})`
}

/** Returns the file and the line of a frame, as in `consumer.ts:12`. */
const placeOf = ({ stack }: StackFrame): string | undefined => {
  try {
    return /([^/\\]+:\d+):\d+\)?$/.exec(stack() ?? "")?.[1]
  } catch {
    // a program may replace what a stack is
    return undefined
  }
}
