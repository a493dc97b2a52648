/** The text of a value that other code has made. Such a value may be of any kind, of any size, and may throw when it is looked at. */
import * as Duration from "effect/Duration"
import { types } from "node:util"

/** The length of the longest text, in characters. */
export const maxText = 64 * 1_024
/** The number of levels that are shown of a nested value. */
const maxDepth = 8
/** The number of elements that are shown of one array, object, map or set. */
const maxElements = 100

/** Cuts a text that is too long, and says how much of it is missing. */
export const cutText = (text: string, max = maxText): string => {
  if (text.length <= max) return text
  // a part of a text keeps the whole of it in memory: this is a copy
  const start = Buffer.from(text.slice(0, max)).toString()
  return `${start}… (${text.length - max} more characters)`
}

/** Calls a function that may throw. Returns undefined if it does. */
export const attempt = <A>(f: () => A): A | undefined => {
  try {
    return f()
  } catch {
    return undefined
  }
}

/** Returns true if the value is of the class. Unlike `instanceof` it takes any value. */
export const isInstance = <A>(value: unknown, of: abstract new(...args: ReadonlyArray<never>) => A): value is A =>
  attempt(() => value instanceof of) === true

/** Reads a property of any value. Returns undefined if there is none, or if it cannot be read. */
export const propertyOf = (value: unknown, key: PropertyKey): unknown =>
  isObject(value) ? attempt((): unknown => Reflect.get(value, key)) : undefined

/**
 * A value of any kind as text, in one line: JSON where the value has a form in JSON, and the notation of code elsewhere.
 * It never throws, it is no longer than a little more than `max` characters, and it shows no more than a few levels.
 */
export const valueText = (value: unknown, max = maxText): string => {
  try {
    if (Duration.isDuration(value)) return Duration.format(value)
  } catch {
    // it is no duration
  }
  const printer = new Printer(max)
  attempt(() => printer.print(value, 0))
  return attempt(() => printer.text) || `${typeof value} that cannot be shown`
}

const isObject = (value: unknown): value is object =>
  (typeof value === "object" && value !== null) || typeof value === "function"

/** Thrown when the text is long enough. */
const full = Symbol()

class Printer {
  #text = ""
  readonly #max: number
  readonly #open = new Set<object>()

  constructor(max: number) {
    this.#max = max
  }

  get text(): string {
    return this.#text
  }

  /** Prints a value, and the values in it as long as there is room. */
  print(value: unknown, depth: number): void {
    switch (typeof value) {
      case "string":
        return this.#add(JSON.stringify(cutText(value, this.#max)))
      case "bigint":
        // the digits of a large one take long
        return this.#add(attempt(() => BigInt.asIntN(4_096, value) === value) === true ? `${value}n` : "a large BigInt")
      case "number":
        return this.#add(Object.is(value, -0) ? "-0" : String(value))
      case "function":
        return this.#add(nameOfFunction(value))
      case "object":
        return value === null ? this.#add("null") : this.#object(value, depth)
      default:
        return this.#add(String(value))
    }
  }

  #add(text: string): void {
    const room = this.#max - this.#text.length
    if (text.length <= room) {
      this.#text += text
      return
    }
    this.#text += `${text.slice(0, Math.max(0, room))}…`
    throw full
  }

  #object(value: object, depth: number): void {
    // a look at a proxy runs code of others
    if (types.isProxy(value)) return this.#add("[Proxy]")
    if (this.#open.has(value)) return this.#add("[Circular]")
    this.#open.add(value)
    try {
      this.#parts(value, depth)
    } catch (error) {
      if (error === full) throw error
      this.#add("[cannot be shown]")
    }
    this.#open.delete(value)
  }

  #parts(value: object, depth: number): void {
    const name = classOf(value)
    if (types.isBoxedPrimitive(value)) {
      this.#add(`${name} `)
      return this.print(unboxed(value), depth)
    }
    if (types.isDate(value)) {
      const ms = Date.prototype.getTime.call(value)
      return this.#add(Number.isNaN(ms) ? "Invalid Date" : JSON.stringify(new Date(ms)))
    }
    if (types.isRegExp(value)) return this.#add(String(attempt(() => RegExp.prototype.toString.call(value)) ?? name))
    if (types.isNativeError(value)) return this.#add(JSON.stringify(cutText(textOfError(value), this.#max)))
    if (types.isArrayBufferView(value) && !(types.isDataView(value))) {
      return this.#list(`${name} [`, "]", value as unknown as ArrayLike<unknown>, depth)
    }
    if (Array.isArray(value)) return this.#list("[", "]", value, depth)
    if (types.isMap(value)) {
      return this.#all(
        `Map(${sizeOf(value)}) {`,
        "}",
        Map.prototype.entries.call(value),
        sizeOf(value),
        depth,
        (entry) => {
          const [key, element] = entry as [unknown, unknown]
          this.print(key, depth + 1)
          this.#add(" => ")
          this.print(element, depth + 1)
        }
      )
    }
    if (types.isSet(value)) {
      return this.#all(`Set(${sizeOf(value)}) {`, "}", Set.prototype.values.call(value), sizeOf(value), depth)
    }
    // a form that has a form of its own may have no end
    const json = depth < maxDepth ? jsonOf(value) : undefined
    if (json !== undefined) return this.print(json.value, depth + 1)
    this.#properties(name === "Object" ? "{" : `${name} {`, value, depth)
  }

  #properties(start: string, value: object, depth: number): void {
    const keys = Object.keys(value)
    this.#all(start, "}", keys.values(), keys.length, depth, (key) => {
      this.#add(`${JSON.stringify(cutText(String(key), this.#max))}:`)
      const property = Reflect.getOwnPropertyDescriptor(value, String(key))
      // a getter is code of others
      if (property !== undefined && !("value" in property)) return this.#add("[Getter]")
      this.print(property?.value, depth + 1)
    })
  }

  #list(start: string, end: string, list: ArrayLike<unknown>, depth: number): void {
    const { length } = list
    const elements = function*() {
      for (let i = 0; i < length; i++) yield Reflect.getOwnPropertyDescriptor(list, i)?.value as unknown
    }
    this.#all(start, end, elements(), length, depth)
  }

  #all(
    start: string,
    end: string,
    elements: Iterator<unknown>,
    count: number,
    depth: number,
    print = (element: unknown) => this.print(element, depth + 1)
  ): void {
    this.#add(start)
    if (depth >= maxDepth && count > 0) return this.#add(`…${end}`)
    for (let i = 0; i < count; i++) {
      if (i > 0) this.#add(",")
      if (i === maxElements) {
        this.#add(` … ${count - i} more`)
        break
      }
      const next = elements.next()
      if (next.done === true) break
      print(next.value)
    }
    this.#add(end)
  }
}

/** The form that a value gives itself in JSON. Without one its own properties are shown. */
const jsonOf = (value: object): { readonly value: unknown } | undefined => {
  const toJson = propertyOf(value, "toJSON")
  if (typeof toJson !== "function") return undefined
  const json = attempt((): unknown => Reflect.apply(toJson, value, []))
  return json === value || json === undefined || typeof json === "function" ? undefined : { value: json }
}

const sizeOf = (value: ReadonlyMap<unknown, unknown> | ReadonlySet<unknown>): number =>
  types.isMap(value)
    ? Number(Reflect.get(Map.prototype, "size", value))
    : Number(Reflect.get(Set.prototype, "size", value))

const unboxed = (value: object): unknown => {
  const prototypes = [Number.prototype, String.prototype, Boolean.prototype, BigInt.prototype, Symbol.prototype]
  for (const { valueOf } of prototypes) {
    const found = attempt((): { readonly value: unknown } => ({ value: Reflect.apply(valueOf, value, []) }))
    if (found !== undefined) return found.value
  }
  return undefined
}

const nameOfFunction = (value: Function): string => {
  if (types.isProxy(value)) return "[Proxy]"
  const name = attempt((): unknown => Reflect.getOwnPropertyDescriptor(value, "name")?.value)
  return typeof name === "string" && name !== "" ? `[Function ${cutText(name, 256)}]` : "[Function]"
}

/** The name of the class of an object, without a look at the object itself. */
export const classOf = (value: object): string => {
  if (types.isProxy(value)) return "Proxy"
  let prototype: object | null = attempt(() => Reflect.getPrototypeOf(value)) ?? null
  if (prototype === null) return "Object"
  while (prototype !== null && !types.isProxy(prototype)) {
    const maker: unknown = Reflect.getOwnPropertyDescriptor(prototype, "constructor")?.value
    if (typeof maker === "function" && !types.isProxy(maker)) {
      const name: unknown = Reflect.getOwnPropertyDescriptor(maker, "name")?.value
      if (typeof name === "string" && name !== "") return cutText(name, 256)
    }
    prototype = Reflect.getPrototypeOf(prototype)
  }
  return "Object"
}

/** The name and the message of an error, as far as they can be read. */
export const textOfError = (error: object): string => {
  const given = propertyOf(error, "name")
  const name = typeof given === "string" ? given : classOf(error)
  const message = propertyOf(error, "message")
  if (typeof message !== "string") return `${name === "" ? "Error" : name} (its message cannot be read)`
  if (message === "") return name === "" ? "Error" : name
  return name === "Error" || name === "" ? message : `${name}: ${message}`
}
