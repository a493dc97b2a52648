import * as Effect from "effect/Effect"
import type { ServiceRecord } from "./registry.ts"

/**
 * Counts the calls of a service that is a plain object: of its methods, and of its members that are effects. Anything
 * else (an instance of a class, a function with members of its own, a stream) is passed on as it is.
 */
export const counted = <S>(service: S, record: ServiceRecord): S => {
  if (typeof service !== "object" || service === null || Effect.isEffect(service)) return service
  const prototype = Object.getPrototypeOf(service)
  if (prototype !== Object.prototype && prototype !== null) return service
  const members: Record<PropertyKey, PropertyDescriptor> = Object.getOwnPropertyDescriptors(service)
  let countable = false
  for (const key of Reflect.ownKeys(members)) {
    const member = members[key]
    if (member === undefined || !("value" in member)) continue
    const wrapped = wrap(member.value, service, record)
    if (wrapped === undefined) continue
    member.value = wrapped
    countable = true
  }
  if (!countable) return service
  record.used = 0
  return Object.create(prototype, members)
}

const wrap = (member: unknown, service: object, record: ServiceRecord): unknown => {
  const count = () => record.used = (record.used ?? 0) + 1
  if (typeof member === "function") {
    // `length`, `name` and, of a classic function, `prototype`: more than that is state which a wrapper would lose
    if (Reflect.ownKeys(member).some((key) => key !== "length" && key !== "name" && key !== "prototype")) {
      return undefined
    }
    return function(this: unknown, ...args: Array<unknown>): unknown {
      count()
      return Reflect.apply(member, this ?? service, args)
    }
  }
  return Effect.isEffect(member) && !isExit(member)
    ? Effect.suspend(() => {
      count()
      return member
    })
    : undefined
}

const isExit = (effect: object): boolean => "~effect/Exit" in effect
