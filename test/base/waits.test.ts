import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as TestClock from "effect/testing/TestClock"
import { within } from "../../src/base/waits.ts"

/** An effect that never ends, and the number of times that it was interrupted. */
const endless = () => {
  const seen = { interrupts: 0 }
  const effect = Effect.onInterrupt(Effect.never, () => Effect.sync(() => void seen.interrupts++))
  return { effect, seen }
}

describe("a wait within a limit", () => {
  it.effect("returns the result of what ends in time, also in this same turn", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* within(Effect.succeed(1), 0), Option.some(1))
      const waiting = yield* Effect.forkChild(within(Effect.delay(Effect.succeed(2), 10), 11), {
        startImmediately: true
      })
      yield* TestClock.adjust(10)
      assert.deepStrictEqual(yield* Fiber.join(waiting), Option.some(2))
    }))

  it.effect("fails as its effect fails", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* Effect.flip(within(Effect.fail("refused"), 10)), "refused")
    }))

  for (const region of ["an interruptible", "an uninterruptible"] as const) {
    it.effect(`ends at its limit in ${region} region, and interrupts its effect`, () =>
      Effect.gen(function*() {
        const { effect, seen } = endless()
        const wait = region === "an interruptible" ? within(effect, 100) : Effect.uninterruptible(within(effect, 100))
        const waiting = yield* Effect.forkChild(wait, { startImmediately: true })
        yield* TestClock.adjust(99)
        assert.isUndefined(waiting.pollUnsafe())
        yield* TestClock.adjust(1)
        assert.deepStrictEqual(yield* Fiber.join(waiting), Option.none())
        assert.strictEqual(seen.interrupts, 1)
      }))
  }

  it.effect("interrupts its effect if it is interrupted itself", () =>
    Effect.gen(function*() {
      const { effect, seen } = endless()
      const waiting = yield* Effect.forkChild(within(effect, Infinity), { startImmediately: true })
      yield* Fiber.interrupt(waiting)
      assert.strictEqual(seen.interrupts, 1)
    }))
})
