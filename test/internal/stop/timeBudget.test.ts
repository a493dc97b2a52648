import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Schema } from "effect"
import { TestClock } from "effect/testing"
import { policyDefaults } from "../../../src/internal/policy/policyFields.ts"
import { type PolicyMillis, policyMillis } from "../../../src/internal/policy/policyMillis.ts"
import { TimeBudget } from "../../../src/internal/stop/timeBudget.ts"

const limits: PolicyMillis = policyMillis(policyDefaults)

const budgetOf = (settings: Partial<PolicyMillis> = {}) =>
  Effect.map(Clock.Clock, (clock) => new TimeBudget(clock, { ...limits, ...settings }))

const Ms = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

describe("the time budget of a stop", () => {
  it.effect("has no limits before the stop begins", () =>
    Effect.gen(function*() {
      const budget = yield* budgetOf()
      assert.strictEqual(budget.remaining(), Infinity)
      assert.isFalse(budget.isSpent)
      assert.strictEqual(
        budget.forRelease({ releaseTimeout: 700, canBeKilled: true, levelsBeneath: 9 }),
        700
      )
    }))

  it.effect("is the deadline, or a shorter one that the request brings", () =>
    Effect.gen(function*() {
      for (const [within, expected] of [[undefined, 25_000], [3_000, 3_000], [99_000, 25_000]] as const) {
        const budget = yield* budgetOf()
        budget.start(within)
        assert.strictEqual(budget.remaining(), expected)
        yield* TestClock.adjust(expected)
        assert.isTrue(budget.isSpent)
        yield* TestClock.adjust(1_000)
        assert.strictEqual(budget.remaining(), 0)
      }
    }))

  it.effect("keeps a reserve for the release from the phases before it", () =>
    Effect.gen(function*() {
      const budget = yield* budgetOf({ deadline: 10_000, releaseTimeout: 2_000, killTimeout: 1_000 })
      budget.start()
      assert.strictEqual(budget.forPhase(4_000), 4_000)
      assert.strictEqual(budget.forPhase(9_000), 7_000)
      yield* TestClock.adjust(8_000)
      assert.strictEqual(budget.forPhase(4_000), 0)
      // the reserve is never more than half of the deadline
      const short = yield* budgetOf({ deadline: 1_000, releaseTimeout: 2_000, killTimeout: 1_000 })
      short.start()
      assert.strictEqual(short.forPhase(4_000), 500)
    }))

  it.effect.prop(
    "leaves each level beneath a release that hangs its share, also where timers are late",
    [
      Schema.Struct({
        deadline: Ms(1_000, 30_000),
        own: Ms(1, 10_000),
        levels: Ms(1, 8),
        canBeKilled: Schema.Boolean,
        /** What each timer is late by. */
        lateness: Schema.Array(Schema.Union([Ms(0, 200), Ms(0, 5_000)])).check(
          Schema.isMinLength(1),
          Schema.isMaxLength(9)
        )
      })
    ],
    ([{ canBeKilled, deadline, lateness, levels, own }]) =>
      Effect.gen(function*() {
        const budget = yield* budgetOf({ deadline, releaseTimeout: own })
        budget.start()
        let worst = 0
        for (let beneath = levels; beneath > 0; beneath--) {
          const left = budget.remaining()
          const limit = budget.forRelease({ releaseTimeout: undefined, canBeKilled, levelsBeneath: beneath })
          assert.isAtLeast(limit, 0)
          assert.isAtMost(limit, own)
          const equal = (canBeKilled ? left - Math.min(250, left / 4) : left) / (beneath + 1)
          // half of an equal share is its own, whatever was late
          assert.isAtLeast(limit, Math.min(own, equal / 2) - 1e-6)
          // beyond that: if this timer is late as the worst one before it, each level beneath has an equal share, or a second
          const share = Math.min(1_000, (left * 0.75) / (beneath + 1))
          if (limit > equal / 2 + 1e-6) assert.isAtLeast(left - limit - worst, beneath * share - 1e-6)
          const late = lateness[beneath % lateness.length] ?? 0
          worst = Math.max(worst, late)
          yield* TestClock.adjust(limit + late)
          budget.addLateness(limit, limit + late)
        }
        // the last one has all that is left
        const left = budget.remaining()
        assert.strictEqual(
          budget.forRelease({ releaseTimeout: undefined, canBeKilled: false, levelsBeneath: 0 }),
          Math.min(own, left)
        )
      }),
    { arbitrary: { runs: 300 } }
  )
})
