import * as Effect from "effect/Effect"
import type { ServiceRecord } from "./serviceState.ts"

/**
 * Counts the calls of a service that is a plain object: of its methods, and of its members that are effects. It stays
 * one and the same object to those that use it and to its own methods: its state is seen by both. Anything else (an
 * instance of a class, a frozen object) is passed on as it is, and not counted.
 */
export const counted = <S>(service: S, record: ServiceRecord): S => {
  if (typeof service !== "object" || service === null || Effect.isEffect(service)) return service
  const prototype = Object.getPrototypeOf(service)
  if ((prototype !== Object.prototype && prototype !== null) || Object.isFrozen(service)) return service
  if (!Object.values(service).some(isCountable)) return service
  record.used = 0
  // safe: a proxy for the same object
  return new Proxy<object>(service, new Counter(record)) as S
}

class Counter implements ProxyHandler<object> {
  readonly #record: ServiceRecord
  #counting: Map<unknown, unknown> | undefined

  constructor(record: ServiceRecord) {
    this.#record = record
  }

  get(service: object, key: PropertyKey, receiver: unknown): unknown {
    const member: unknown = Reflect.get(service, key, receiver)
    if (!isCountable(member) || !Object.hasOwn(service, key)) return member
    // a member that cannot change must be given as it is
    if (Object.getOwnPropertyDescriptor(service, key)?.configurable === false) return member
    this.#counting ??= new Map()
    const known = this.#counting.get(member)
    if (known !== undefined) return known
    const counting = typeof member === "function" ? this.#method(member) : this.#effect(member)
    this.#counting.set(member, counting)
    return counting
  }

  #count(): void {
    this.#record.used = (this.#record.used ?? 0) + 1
  }

  // a function of that arrow's kind would lose the `this` of its caller
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

/** Not classes, tags and other functions with members: what they are would be lost. */
const isCountable = (member: unknown): member is Countable =>
  typeof member === "function"
    ? plainFunctions.has(Object.getPrototypeOf(member)) && Object.keys(member).length === 0 && !isClass(member)
    : typeof member === "object" && member !== null && Effect.isEffect(member) && !("~effect/Exit" in member)

/** Arrow functions and methods have no prototype, and that of a class cannot be set. */
const isClass = (member: Function): boolean =>
  Object.hasOwn(member, "prototype") && Object.getOwnPropertyDescriptor(member, "prototype")?.writable === false

const plainFunctions: ReadonlySet<unknown> = new Set([
  Function.prototype,
  Object.getPrototypeOf(async () => {}),
  Object.getPrototypeOf(function*() {})
])
