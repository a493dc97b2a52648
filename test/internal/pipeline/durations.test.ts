import { assert, describe, it } from "@effect/vitest"
import { Durations } from "../../../src/internal/pipeline/durations.ts"

describe("durations", () => {
  it("have percentiles that are 3 % off at most", () => {
    for (const ms of [0.001, 0.0375, 1, 17.3, 950, 1_000]) {
      const durations = new Durations(0)
      for (let i = 1; i <= 100; i++) durations.record(ms * i)
      assert.approximately((durations.percentile(0.95) ?? 0) / (95 * ms), 1, 0.03, `${ms}`)
      assert.approximately((durations.percentile(0.5) ?? 0) / (50 * ms), 1, 0.03, `${ms}`)
    }
  })

  it("count in octaves, from 1 µs on, whatever a duration is", () => {
    const durations = new Durations(0)
    assert.deepStrictEqual(durations.counts, [])
    for (const ms of [0, 0.000_5, 0.001_5, 0.003, 0.003_9, 0.017]) durations.record(ms)
    assert.deepStrictEqual(durations.counts, [3, 2, 0, 0, 1])
    durations.record(Number.MAX_VALUE)
    assert.strictEqual(durations.counts.length, 27)
  })

  it("forget for percentiles what is older than 10 s, and count it on", () => {
    const start = 1_000_000
    const durations = new Durations(start)
    durations.record(1_000)
    durations.turn(start + 250)
    assert.isAbove(durations.percentile(0.95) ?? 0, 900)
    durations.turn(start + 5_000)
    durations.record(1)
    assert.isAbove(durations.percentile(0.95) ?? 0, 900)
    durations.turn(start + 10_000)
    assert.isBelow(durations.percentile(0.95) ?? 0, 1.1)
    durations.turn(start + 30_000)
    assert.isUndefined(durations.percentile(0.95))
    assert.strictEqual(durations.counts.reduce((sum, n) => sum + n), 2)
  })
})
