import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { Heartbeat } from "../../../src/host/caller/heartbeat.ts"

/** A heartbeat of one second, with its pings and its reports. */
const beating = Effect.gen(function*() {
  const seen = { pings: 0, changes: [] as Array<boolean> }
  const heartbeat = new Heartbeat(1_000, () => void seen.pings++, (responsive) => void seen.changes.push(responsive))
  yield* Effect.forkScoped(heartbeat.run)
  yield* Effect.yieldNow
  return { heartbeat, seen }
})

describe("a heartbeat", () => {
  it.effect("pings once an interval as long as the host answers", () =>
    Effect.gen(function*() {
      const { heartbeat, seen } = yield* beating
      yield* TestClock.adjust(999)
      assert.strictEqual(seen.pings, 0)
      for (let tick = 1; tick <= 5; tick++) {
        yield* TestClock.adjust(tick === 1 ? 1 : 1_000)
        assert.strictEqual(seen.pings, tick)
        assert.strictEqual(heartbeat.state, "Pinged")
        heartbeat.heard()
        assert.strictEqual(heartbeat.state, "Answered")
      }
      assert.deepStrictEqual(seen.changes, [])
    }))

  it.effect("reports a host that has not answered for a whole interval, once, and that it answers again", () =>
    Effect.gen(function*() {
      const { heartbeat, seen } = yield* beating
      yield* TestClock.adjust(1_999)
      assert.deepStrictEqual(seen.changes, [])
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(seen.changes, [false])
      assert.strictEqual(heartbeat.state, "Overdue")
      yield* TestClock.adjust(10_000)
      assert.deepStrictEqual(seen, { pings: 1, changes: [false] })
      heartbeat.heard()
      assert.deepStrictEqual(seen.changes, [false, true])
      yield* TestClock.adjust(1_000)
      assert.strictEqual(seen.pings, 2)
    }))

  it.effect("does not blame the host if its own event loop was blocked", () =>
    Effect.gen(function*() {
      const { clock, tick } = lateClock(yield* Clock.Clock)
      const changes: Array<boolean> = []
      const heartbeat = new Heartbeat(1_000, () => {}, (responsive) => void changes.push(responsive))
      yield* Effect.forkScoped(Effect.provideService(heartbeat.run, Clock.Clock, clock))
      yield* Effect.yieldNow
      yield* tick(1_000)
      assert.strictEqual(heartbeat.state, "Pinged")
      yield* tick(1_501)
      assert.strictEqual(heartbeat.state, "Pinged", "an answer may wait to be read")
      yield* tick(1_500)
      assert.strictEqual(heartbeat.state, "Overdue", "its own event loop was not blocked this time")
      assert.deepStrictEqual(changes, [false])
    }))

  it.effect("stays silent for ever if its interval is infinite", () =>
    Effect.gen(function*() {
      let pings = 0
      const heartbeat = new Heartbeat(Infinity, () => void pings++, () => {})
      yield* Effect.forkScoped(heartbeat.run)
      yield* TestClock.adjust(Duration.days(365))
      assert.strictEqual(pings, 0)
    }))
})

/** A clock whose sleeps end as late as a test says. */
const lateClock = (base: Clock.Clock) => {
  let elapsedMs = 0
  let wake = () => {}
  const sleep = Effect.callback<void>((resume) => {
    wake = () => resume(Effect.void)
  })
  const clock: Clock.Clock = {
    ...base,
    monotonicTimeNanosUnsafe: () => BigInt(elapsedMs) * 1_000_000n,
    sleep: () => sleep
  }
  const tick = (ms: number) =>
    Effect.andThen(
      Effect.sync(() => {
        elapsedMs += ms
        wake()
      }),
      Effect.yieldNow
    )
  return { clock, tick }
}
