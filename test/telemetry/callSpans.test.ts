import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { CallSpans } from "../../src/telemetry/callSpans.ts"

describe("the spans of calls", () => {
  it.effect("are 100 in a second at most, and the next one says how many calls have none", () =>
    Effect.gen(function*() {
      const clock = yield* Clock.Clock
      const spans = new CallSpans({ service: "Db", methods: ["get"], clock })
      const begin = Effect.withFiber((fiber) => Effect.succeed(spans.begin(0, fiber)))
      const first = yield* Effect.forEach(Array.from({ length: 250 }), () => begin)
      assert.strictEqual(first.filter((span) => span !== undefined).length, 100)
      assert.strictEqual(first[0]?.name, "call Db.get")
      yield* TestClock.adjust("1 second")
      // the clock is read for one of 16 calls once there are too many
      const next = (yield* Effect.forEach(Array.from({ length: 17 }), () => begin)).filter((span) => span !== undefined)
      const leftOut = next.map(({ attributes }) => Number(attributes.get("autostop.calls.left_out") ?? 0))
      assert.isAtLeast(leftOut[0] ?? 0, 150)
      assert.strictEqual(leftOut.reduce((sum, n) => sum + n) + next.length, 150 + 17)
    }).pipe(Effect.withSpan("the caller")))

  it.effect("lie in one of their caller that is exported", () =>
    Effect.gen(function*() {
      const spans = new CallSpans({ service: "Db", methods: ["get"], clock: yield* Clock.Clock })
      const begin = Effect.withFiber((fiber) => Effect.succeed(spans.begin(0, fiber)))
      assert.isUndefined(yield* begin)
      assert.isUndefined(yield* Effect.withSpan(begin, "the caller", { sampled: false }))
      assert.isDefined(yield* Effect.withSpan(begin, "the caller"))
    }))
})
