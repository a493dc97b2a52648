import { assert, describe, it } from "@effect/vitest"
import { readSince } from "../../src/manager/since.ts"

const now = Date.parse("2026-01-31T08:00:00.000Z")

describe("a time from which on something is meant", () => {
  it("is a time with its zone, a day, or a duration before now", () => {
    assert.strictEqual(readSince("2026-01-30T08:00:00.5+01:00", now), "2026-01-30T07:00:00.500Z")
    assert.strictEqual(readSince("2026-01-30T08:00Z", now), "2026-01-30T08:00:00.000Z")
    assert.strictEqual(readSince("2026-01-30", now), "2026-01-30T00:00:00.000Z")
    assert.strictEqual(readSince("12h", now), "2026-01-30T20:00:00.000Z")
    assert.strictEqual(readSince("2 days", now), "2026-01-29T08:00:00.000Z")
    for (const longest of ["Infinity", "1000000d"]) {
      assert.strictEqual(readSince(longest, now), new Date(0).toISOString())
    }
  })

  it("is nothing else", () => {
    for (const text of ["", "yesterday", "2026-01-30T08:00:00", "2026-13-01", "1200", "-1h", "1969-01-01"]) {
      assert.isUndefined(readSince(text, now), text)
    }
  })
})
