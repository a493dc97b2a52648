/** Values that are hard to print, compare, store or send, for everything that gets a value from code of others. */
import * as Schema from "effect/Schema"
import { runInNewContext } from "node:vm"

/** A value that is made anew each time, and a text that tells what kind of value it is. */
export interface Hostile {
  readonly make: () => unknown
  readonly says: RegExp
}

const refuse = (): never => {
  throw new Error("it does not want to be looked at")
}

/** A handler whose every trap throws. */
const throwing: ProxyHandler<object> = new Proxy({}, { get: () => refuse })

const revoked = (target: object): object => {
  const { proxy, revoke } = Proxy.revocable(target, {})
  revoke()
  return proxy
}

/** An object with a getter that throws, under each of these names. */
const withThrowing = <A extends object>(target: A, ...keys: ReadonlyArray<PropertyKey>): A => {
  for (const key of keys) Object.defineProperty(target, key, { get: refuse, enumerable: true, configurable: true })
  return target
}

/** An object whose getters make two more such objects each: a tree without an end. */
const endless = (): object => ({
  get left() {
    return endless()
  },
  get right() {
    return endless()
  }
})

/** A form in JSON that has a form in JSON, and so on. */
const endlessJson = (): object => ({ toJSON: endlessJson })

const deep = (levels: number): object => {
  let value: object = {}
  for (let level = 0; level < levels; level++) value = level % 2 === 0 ? { value } : [value]
  return value
}

const deepCauses = (levels: number): Error => {
  let error = new Error("the first cause")
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  for (let level = 0; level < levels; level++) error = new Error("a later error", { cause: error })
  Error.stackTraceLimit = stackTraceLimit
  return error
}

const cycle = (): object => {
  const value: { self?: object; list?: Array<object> } = {}
  value.self = value
  value.list = [value]
  return value
}

const causeCycle = (): Error => {
  const error = new Error("it has caused itself")
  error.cause = new Error("the other one", { cause: error })
  return error
}

class Secretive {
  readonly #secret = 1
  get secret(): number {
    return this.#secret
  }
}

class Overridden extends Error {
  override get name(): string {
    return refuse()
  }
  override get message(): string {
    return refuse()
  }
  override get stack(): string {
    return refuse()
  }
}

const megabyte = 2 ** 20

/** Makes a large value at its first use, and keeps it. */
const once = <A>(make: () => A): () => A => {
  let made: { readonly value: A } | undefined
  return () => (made ??= { value: make() }).value
}

/** All kinds, by their names. */
export const hostiles = {
  // what is no object
  undefined: { make: () => undefined, says: /undefined/ },
  null: { make: () => null, says: /null/ },
  NaN: { make: () => NaN, says: /NaN/ },
  "a BigInt": { make: () => 12n, says: /12n/ },
  "a large BigInt": { make: () => 2n ** 100_000n, says: /BigInt/ },
  "a symbol": { make: () => Symbol("secret"), says: /Symbol\(secret\)/ },
  "an empty string": { make: () => "", says: /^(""|)$/ },
  "a long string": { make: once(() => "x".repeat(10 * megabyte)), says: /^"?x{1000}/ },
  "a lone surrogate": { make: () => "\ud800", says: /\ud800|\\ud800|\ufffd/ },
  // proxies
  "a proxy whose every trap throws": { make: () => new Proxy({}, throwing), says: /Proxy/ },
  "a proxy of an error whose every trap throws": {
    make: () => new Proxy(new Error("hidden"), throwing),
    says: /Proxy/
  },
  "a proxy of an array whose every trap throws": { make: () => new Proxy([1], throwing), says: /Proxy/ },
  "a proxy of a function whose every trap throws": { make: () => new Proxy(() => {}, throwing), says: /Proxy/ },
  "a revoked proxy": { make: () => revoked({}), says: /Proxy/ },
  "a revoked proxy of an array": { make: () => revoked([]), says: /Proxy/ },
  "a revoked proxy of a function": { make: () => revoked(() => {}), says: /Proxy/ },
  "an object whose prototype is a proxy": { make: () => Object.create(new Proxy({}, throwing)), says: /\{|Object/ },
  // objects that throw when they are looked at
  "an object without a prototype": {
    make: () => Object.assign(Object.create(null), { year: "2026" }),
    says: /"year":"2026"/
  },
  "the groups of a match": { make: () => /(?<year>\d+)/.exec("2026")?.groups, says: /"year":"2026"/ },
  "an object whose getter throws": { make: () => withThrowing({ b: 1 }, "a"), says: /"a":\[Getter\]/ },
  "an object whose toString throws": { make: () => ({ toString: refuse, a: 1 }), says: /"a":1/ },
  "an object whose conversion throws": { make: () => ({ [Symbol.toPrimitive]: refuse, a: 1 }), says: /"a":1/ },
  "an object whose tag throws": { make: () => withThrowing({ a: 1 }, Symbol.toStringTag), says: /"a":1/ },
  "an object whose toJSON throws": { make: () => ({ toJSON: refuse, a: 1 }), says: /"a":1/ },
  "an object whose getter of toJSON throws": { make: () => withThrowing({ a: 1 }, "toJSON"), says: /"a":1/ },
  "an object whose toJSON returns itself": {
    make: () => ({
      a: 1,
      toJSON() {
        return this
      }
    }),
    says: /"a":1/
  },
  "an object whose form in JSON has no end": { make: endlessJson, says: /toJSON|Object|\{/ },
  "an object whose constructor throws": { make: () => withThrowing({ a: 1 }, "constructor"), says: /"a":1/ },
  "an object that throws when it is compared": {
    make: () => ({
      "~effect/interfaces/Hash": refuse,
      "~effect/interfaces/Equal": refuse,
      a: 1
    }),
    says: /"a":1/
  },
  "an object whose getters have no end": { make: endless, says: /"left":\[Getter\]/ },
  "an object whose getter never says the same": {
    make: () => ({
      get value() {
        return Math.random()
      }
    }),
    says: /"value":/
  },
  "a thenable whose then throws": { make: () => withThrowing({ a: 1 }, "then"), says: /"a":1/ },
  // structures
  "a cycle": { make: cycle, says: /"self":\[Circular\]/ },
  "a deep value": { make: once(() => deep(100_000)), says: /"value":|…/ },
  "a wide object": {
    make: once(() => Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`key${i}`, i]))),
    says: /"key0":0/
  },
  "a long array": { make: once(() => Array.from({ length: megabyte }, () => 7)), says: /\[7,7/ },
  "a sparse array": { make: () => Object.assign([], { length: megabyte }), says: /\[undefined/ },
  // what JSON does not have
  "a function": { make: () => function named() {}, says: /Function named/ },
  "a function whose name throws": { make: () => withThrowing(() => {}, "name"), says: /Function/ },
  "a class": { make: () => Secretive, says: /Function Secretive/ },
  "a class instance with private fields": { make: () => new Secretive(), says: /Secretive/ },
  "a frozen object": { make: () => Object.freeze({ a: 1 }), says: /"a":1/ },
  "a boxed number": { make: () => Object(5), says: /Number 5/ },
  "a boxed string": { make: () => Object("text"), says: /String "text"/ },
  "a boxed BigInt": { make: () => Object(5n), says: /BigInt 5n/ },
  "a boxed symbol": { make: () => Object(Symbol("boxed")), says: /Symbol Symbol\(boxed\)/ },
  "a Map with itself": {
    make: () => {
      const map = new Map<unknown, unknown>()
      return map.set(map, map)
    },
    says: /Map\(1\) \{\[Circular\] => \[Circular\]\}/
  },
  "a Set": { make: () => new Set([1n, undefined]), says: /Set\(2\) \{1n,undefined\}/ },
  "a Map whose iterator throws": {
    make: () => Object.assign(new Map([[1, 2]]), { [Symbol.iterator]: refuse, entries: refuse }),
    says: /Map\(1\) \{1 => 2\}/
  },
  "a WeakMap": { make: () => new WeakMap(), says: /WeakMap/ },
  "a promise": { make: () => Promise.resolve(1), says: /Promise/ },
  "a typed array": { make: () => new Uint8Array([1, 2]), says: /Uint8Array \[1,2\]/ },
  "a large typed array": { make: () => new Float64Array(megabyte), says: /Float64Array \[0,/ },
  "an ArrayBuffer": { make: () => new ArrayBuffer(8), says: /ArrayBuffer/ },
  "a date that is none": { make: () => new Date(NaN), says: /Invalid Date/ },
  "a regular expression": { make: () => /x/g, says: /\/x\/g/ },
  // errors
  "an error whose message throws": { make: () => withThrowing(new Error("hidden"), "message"), says: /Error/ },
  "an error whose stack throws": { make: () => withThrowing(new Error("visible"), "stack"), says: /visible/ },
  "an error whose name throws": { make: () => withThrowing(new TypeError("visible"), "name"), says: /visible/ },
  "an error whose cause throws": { make: () => withThrowing(new Error("visible"), "cause"), says: /visible/ },
  "an error of a class that throws": { make: () => new Overridden("hidden"), says: /Overridden/ },
  "an error whose name is a symbol": {
    make: () => Object.assign(new Error("visible"), { name: Symbol("name") }),
    says: /visible/
  },
  "an error whose message is an object": {
    make: () => Object.assign(new Error("hidden"), { message: cycle() }),
    says: /Error/
  },
  "an error whose stack is a number": {
    make: () => Object.assign(new Error("visible"), { stack: 1 }),
    says: /visible/
  },
  "an error whose toJSON throws": {
    make: () => Object.assign(new Error("visible"), { toJSON: refuse }),
    says: /visible/
  },
  "an error whose toString throws": {
    make: () => Object.assign(new Error("visible"), { toString: refuse }),
    says: /visible/
  },
  "an error with a long message": { make: () => new Error("x".repeat(10 * megabyte)), says: /x{1000}/ },
  "an error that has caused itself": { make: causeCycle, says: /it has caused itself/ },
  "an error with many causes": { make: once(() => deepCauses(100_000)), says: /a later error/ },
  "an error caused by a revoked proxy": { make: () => new Error("visible", { cause: revoked({}) }), says: /visible/ },
  "an error of errors": {
    make: () => new AggregateError([revoked({}), new Proxy({}, throwing)], "several"),
    says: /several/
  },
  "an error of another realm": {
    make: () => runInNewContext("new RangeError('far away')"),
    says: /RangeError: far away/
  },
  "an object of another realm": { make: () => runInNewContext("({ a: 1 })"), says: /"a":1/ },
  "an error without a prototype": { make: () => Object.setPrototypeOf(new Error("visible"), null), says: /visible/ }
} satisfies Readonly<Record<string, Hostile>>

export type HostileName = keyof typeof hostiles

export const hostileNames = Object.keys(hostiles) as ReadonlyArray<HostileName> // the table has exactly these keys

/** The kinds that are JSON, or that JSON can express. All others make a result that nobody could read. */
export const fitsJson: ReadonlySet<HostileName> = new Set<HostileName>([
  "undefined",
  "null",
  "an empty string",
  "a long string",
  "a lone surrogate",
  "an object without a prototype",
  "the groups of a match",
  "an object whose conversion throws",
  "an object whose tag throws",
  "an object whose getter never says the same",
  "a wide object",
  "a long array",
  "a frozen object",
  "an object of another realm",
  "an error without a prototype"
])

/** What a value may be within. */
const wrappers = {
  array: (value: unknown): unknown => [value],
  object: (value: unknown): unknown => ({ value }),
  map: (value: unknown): unknown => new Map([[value, value]]),
  cause: (value: unknown): unknown => new Error("it has a cause", { cause: value }),
  aggregate: (value: unknown): unknown => new AggregateError([value], "it has errors"),
  property: (value: unknown): unknown => Object.assign(new Error("it has a property"), { value }),
  message: (value: unknown): unknown => Object.assign(new Error("it has another message"), { message: value })
}

/**
 * A generator of hostile values. It generates descriptions, from which `makeHostile` makes values: what reports a failed
 * property prints what was generated.
 */
export const HostilePlan = Schema.Struct({
  kind: Schema.Literals(hostileNames),
  within: Schema.Array(Schema.Literals(Object.keys(wrappers) as ReadonlyArray<keyof typeof wrappers>)).check(
    Schema.isMaxLength(3)
  )
})
export type HostilePlan = typeof HostilePlan.Type

/** Makes the value that a description stands for, anew each time. */
export const makeHostile = ({ kind, within }: HostilePlan): unknown =>
  within.reduce<unknown>((value, name) => wrappers[name](value), hostiles[kind].make())

/** A few kinds for tests in which each costs a process. */
export const fewHostiles: ReadonlyArray<HostileName> = [
  "the groups of a match",
  "an error of a class that throws",
  "a revoked proxy",
  "a proxy whose every trap throws",
  "an error whose name is a symbol",
  "an error whose toJSON throws",
  "a symbol",
  "a cycle"
]
