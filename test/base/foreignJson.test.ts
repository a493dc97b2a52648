import { assert, describe, it } from "@effect/vitest"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { decodeForeignJson, isShallowJson } from "../../src/base/foreignJson.ts"
import { hostileLine } from "../support/hostileBytes.ts"
import { Random } from "../support/malformed.ts"

const levelsOf = (value: unknown): number =>
  typeof value !== "object" || value === null ? 0 : 1 + Math.max(0, ...Object.values(value).map(levelsOf))

describe("JSON of others", () => {
  it("has as many levels as the value that it is", () => {
    const random = new Random(1)
    for (let i = 0; i < 3_000; i++) {
      const line = hostileLine(random, ["a", "\\", "\"", "[{", "\\\""])
      let value: unknown
      try {
        value = JSON.parse(line)
      } catch {
        continue
      }
      // of two keys of one name, the value has one
      const text = JSON.stringify(value)
      const levels = levelsOf(value)
      assert.isTrue(isShallowJson(text, levels), text)
      if (levels > 0) assert.isFalse(isShallowJson(text, levels - 1), text)
    }
  })

  it("is decoded or refused, however deep it is", () => {
    const decode = decodeForeignJson(Schema.Json)
    assert.deepStrictEqual(decode("{\"a\":[1]}"), Option.some({ a: [1] }))
    assert.isTrue(Option.isSome(decode("null")))
    for (const levels of [1_000, 10_000, 1_000_000]) {
      assert.isTrue(Option.isNone(decode(`${"[".repeat(levels)}${"]".repeat(levels)}`)))
      assert.isTrue(Option.isNone(decode("{\"a\":".repeat(levels))))
    }
    assert.isTrue(Option.isNone(decode("")))
  })
})
