import * as Effect from "effect/Effect"
import { types } from "node:util"
import { attempt } from "../../base/valueText.ts"

/** The counter of a service's calls. */
export interface CallCount {
  used: number | undefined
}

/**
 * Counts the calls of a service that is a plain object: calls of its methods, and uses of its members that are effects.
 * Returns a proxy, so that users of the service and its own methods see the same state. Anything else (an instance of a
 * class, a frozen object, a proxy) is returned as it is, and not counted. None of its getters runs before it is used.
 */
export const counted = <S>(service: S, count: CallCount): S => {
  if (typeof service !== "object" || service === null || types.isProxy(service)) return service
  const prototype = Object.getPrototypeOf(service)
  if ((prototype !== Object.prototype && prototype !== null) || Object.isFrozen(service)) return service
  if (Effect.isEffect(service)) return service
  const members = membersOf(service)
  if (members === "none") return service
  // what a getter returns is only known once somebody uses it
  if (members === "countable") count.used = 0
  // safe: a proxy for the same object
  return new Proxy<object>(service, new Counter(count)) as S
}

/** Looks for members that can be counted, without a use of any. There may be many services: it looks no further than it must. */
const membersOf = (service: object): "none" | "getters" | "countable" => {
  let members: "none" | "getters" = "none"
  for (const key of Object.keys(service)) {
    const property = Reflect.getOwnPropertyDescriptor(service, key)
    if (isCountable(property?.value)) return "countable"
    if (property?.get !== undefined) members = "getters"
  }
  return members
}

class Counter implements ProxyHandler<object> {
  readonly #target: CallCount
  #counting: WeakMap<object, unknown> | undefined

  constructor(count: CallCount) {
    this.#target = count
  }

  get(service: object, key: PropertyKey, receiver: unknown): unknown {
    const member: unknown = Reflect.get(service, key, receiver)
    if (!isCountable(member) || !Object.hasOwn(service, key)) return member
    // a proxy must return a member that cannot change as it is
    if (Object.getOwnPropertyDescriptor(service, key)?.configurable === false) return member
    this.#target.used ??= 0
    this.#counting ??= new WeakMap()
    const known = this.#counting.get(member)
    if (known !== undefined) return known
    const counting = typeof member === "function" ? this.#method(member) : this.#effect(member)
    this.#counting.set(member, counting)
    return counting
  }

  #count(): void {
    this.#target.used = (this.#target.used ?? 0) + 1
  }

  // an arrow function would lose the `this` of its caller
  #method(member: Function): unknown {
    const count = () => this.#count()
    return function(this: unknown, ...args: Array<unknown>): unknown {
      count()
      return Reflect.apply(member, this, args)
    }
  }

  #effect(member: Effect.Effect<unknown, unknown, unknown>): unknown {
    return Effect.suspend(() => {
      this.#count()
      return member
    })
  }
}

type Countable = Function | Effect.Effect<unknown, unknown, unknown>

/** Returns true for plain functions and effects; a class, a tag or a function with members would lose its members. */
const isCountable = (member: unknown): member is Countable =>
  !types.isProxy(member) && attempt(() => isPlain(member)) === true

const isPlain = (member: unknown): boolean =>
  typeof member === "function"
    ? plainFunctions.has(Object.getPrototypeOf(member)) && Object.keys(member).length === 0 && !isClass(member)
    : typeof member === "object" && member !== null && Effect.isEffect(member) && !("~effect/Exit" in member)

/** Returns true for classes: unlike functions and methods they have a prototype that cannot be set. */
const isClass = (member: Function): boolean =>
  Object.hasOwn(member, "prototype") && Object.getOwnPropertyDescriptor(member, "prototype")?.writable === false

const plainFunctions: ReadonlySet<unknown> = new Set([
  Function.prototype,
  Object.getPrototypeOf(async () => {}),
  Object.getPrototypeOf(function*() {})
])
