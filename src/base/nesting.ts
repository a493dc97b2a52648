import { types } from "node:util"
import { attempt, propertyOf } from "./valueText.ts"

/** The number of levels of the deepest value that is sent elsewhere: what is deeper cannot be written as JSON. */
export const maxLevels = 500
/** The number of getters that lead to the innermost object of a value that has an end. */
const maxReads = 100
/** The number of objects that are looked at. What makes more of itself is found long before. */
const maxLooks = 100_000

/** Returns true if a value has no more than so many levels. Never throws; what cannot be read has none. */
export const isNestedWithin = (value: unknown, levels = maxLevels): boolean => {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return true
  if (levels === 0) return false
  const keys = attempt(() => Object.keys(value)) ?? []
  return keys.every((key) => isNestedWithin(propertyOf(value, key), levels - 1))
}

/**
 * Returns false for a value that makes more of itself the more of it is read, because its getters return objects with such
 * getters. Whatever visits all of it has no end. Never throws.
 */
export const hasEnd = (value: unknown): boolean => {
  const seen = new Set<unknown>()
  const open: Array<{ readonly value: unknown; readonly reads: number }> = [{ value, reads: 0 }]
  for (let next = open.pop(); next !== undefined && seen.size < maxLooks; next = open.pop()) {
    const { reads, value } = next
    if (typeof value !== "object" || value === null || ArrayBuffer.isView(value) || seen.has(value)) continue
    if (reads > maxReads) return false
    seen.add(value)
    const isProxy = types.isProxy(value)
    if (!isProxy && Array.isArray(value)) {
      for (const element of value) if (typeof element === "object") open.push({ value: element, reads })
      continue
    }
    for (const key of attempt(() => Object.keys(value)) ?? []) {
      const property = isProxy ? undefined : Reflect.getOwnPropertyDescriptor(value, key)
      const isRead = property === undefined || "get" in property
      const child: unknown = isRead ? propertyOf(value, key) : property.value
      if (typeof child === "object") open.push({ value: child, reads: isRead ? reads + 1 : reads })
    }
  }
  return true
}
