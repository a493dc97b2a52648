import * as Effect from "effect/Effect"
import type { ServiceRecord } from "./serviceRecord.ts"

/**
 * Counts the calls of a service that is a plain object: of its methods, and of its members that are effects. Anything
 * else (an instance of a class, a function with members of its own, a stream) is passed on as it is.
 */
export const counted = <S>(service: S, record: ServiceRecord): S => {
  if (typeof service !== "object" || service === null || Effect.isEffect(service)) return service
  const prototype = Object.getPrototypeOf(service)
  if (prototype !== Object.prototype && prototype !== null) return service
  const wrapped: Record<PropertyKey, unknown> = {}
  let countable = false
  for (const key of Reflect.ownKeys(service)) {
    const member = Object.getOwnPropertyDescriptor(service, key)
    // a member that is computed, or hidden, is not ours to look at
    if (member === undefined || !("value" in member) || member.enumerable !== true) return service
    const counting = wrap(member.value, service, record)
    if (counting !== undefined) countable = true
    wrapped[key] = counting ?? member.value
  }
  if (!countable) return service
  record.used = 0
  // safe: the same members, with the same types
  return (prototype === null ? Object.assign(Object.create(null), wrapped) : wrapped) as S
}

const wrap = (member: unknown, service: object, record: ServiceRecord): unknown => {
  if (typeof member === "function") {
    // members of its own are state which a wrapper would lose
    if (Object.keys(member).length > 0) return undefined
    return function(this: unknown, ...args: Array<unknown>): unknown {
      record.used = (record.used ?? 0) + 1
      return Reflect.apply(member, this ?? service, args)
    }
  }
  return Effect.isEffect(member) && !isExit(member)
    ? Effect.suspend(() => {
      record.used = (record.used ?? 0) + 1
      return member
    })
    : undefined
}

const isExit = (effect: object): boolean => "~effect/Exit" in effect
