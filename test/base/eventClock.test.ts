import { assert, describe, it } from "@effect/vitest"
import { EventClock } from "../../src/base/eventClock.ts"

describe("the clock of events", () => {
  it("goes on evenly, from what is known at first", () => {
    const clock = new EventClock(1_000_000, 50)
    assert.strictEqual(clock.now(50), 1_000_000)
    assert.strictEqual(clock.now(80), 1_000_030)
  })

  it("never lags behind an event, and does not go back to an earlier one", () => {
    const clock = new EventClock(1_000_000, 0)
    clock.heard(new Date(1_003_000).toISOString(), 10)
    assert.strictEqual(clock.now(10), 1_003_000)
    clock.heard(new Date(1_001_000).toISOString(), 20)
    assert.strictEqual(clock.now(30), 1_003_020)
  })

  it("takes no notice of what is no time", () => {
    const clock = new EventClock(5, 0)
    clock.heard("never", 0)
    assert.strictEqual(clock.now(0), 5)
  })
})
