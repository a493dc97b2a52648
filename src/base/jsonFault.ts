import { isPlainObject } from "./plainObject.ts"
import { attempt } from "./valueText.ts"

/** The number of values that are looked at. */
const maxLooks = 100_000

/** Returns the path of the first part of a value that is no JSON, such as `["rows"][3]`, or `undefined` if it finds none. */
export const jsonFault = (value: unknown): string | undefined =>
  attempt(() => {
    const seen = new Set<unknown>()
    const open: Array<{ readonly value: unknown; readonly path: string }> = [{ value, path: "" }]
    for (let next = open.pop(); next !== undefined && seen.size < maxLooks; next = open.pop()) {
      const { path, value } = next
      if (typeof value !== "object" || value === null) {
        if (!isJson(value)) return path
        continue
      }
      const isArray = Array.isArray(value)
      if (!isArray && !isPlainObject(value)) return path
      if (seen.has(value)) continue
      seen.add(value)
      const entries = isArray ? [...value.entries()] : Object.entries(value)
      for (const [key, part] of entries.toReversed()) {
        open.push({ value: part, path: `${path}[${typeof key === "number" ? key : JSON.stringify(key)}]` })
      }
    }
    return undefined
  })

const isJson = (value: unknown): boolean =>
  value === null || typeof value === "string" || typeof value === "boolean" || Number.isFinite(value)
