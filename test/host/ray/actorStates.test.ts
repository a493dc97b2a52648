import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { ActorStates } from "../../../src/host/ray/actorStates.ts"
import type { ActorState } from "../../../src/host/ray/rayApi.ts"
import { RayError } from "../../../src/host/ray/rayError.ts"

const alive = { actor_id: "a", state: "ALIVE" }
const dead = { actor_id: "a", state: "DEAD" }

/** The actors of a job of a cluster that answers after so many milliseconds, or does not. */
const cluster = (afterMs = 0) => {
  const seen = { asked: 0, answer: [alive] as ReadonlyArray<ActorState> | undefined }
  const ask = Effect.suspend(() => {
    seen.asked++
    return Effect.delay(
      Effect.suspend(() =>
        seen.answer === undefined ? Effect.fail(RayError.of("it is gone")) : Effect.succeed(seen.answer)
      ),
      afterMs
    )
  })
  return { seen, states: new ActorStates({ actors: () => ask }, "01") }
}

describe("the states of actors", () => {
  it.effect("are asked for every 50 ms until Ray says that the actor is DEAD", () =>
    Effect.gen(function*() {
      const { seen, states } = cluster()
      const waiting = yield* Effect.forkChild(states.isDead("a"), { startImmediately: true })
      yield* TestClock.adjust(125)
      assert.strictEqual(seen.asked, 3)
      seen.answer = [dead]
      yield* TestClock.adjust(24)
      assert.isUndefined(waiting.pollUnsafe())
      yield* TestClock.adjust(1)
      yield* Fiber.join(waiting)
      assert.strictEqual(seen.asked, 4)
    }))

  it.effect("are asked for once if several wait at a time, even if the first of them does not wait for the answer", () =>
    Effect.gen(function*() {
      const { seen, states } = cluster(20)
      seen.answer = []
      const [first, ...others] = yield* Effect.forEach(
        ["a", "b", "c"],
        (id) => Effect.forkChild(states.isDead(id), { startImmediately: true })
      )
      yield* TestClock.adjust(10)
      yield* Fiber.interrupt(first ?? assert.fail())
      yield* TestClock.adjust(10)
      yield* Fiber.joinAll(others)
      assert.strictEqual(seen.asked, 1)
    }))

  it.effect("name the actors that are not DEAD when the time is up", () =>
    Effect.gen(function*() {
      const { states } = cluster()
      const unended = yield* Effect.forkChild(states.unended(5_000), { startImmediately: true })
      yield* TestClock.adjust(4_999)
      assert.isUndefined(unended.pollUnsafe())
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(yield* Fiber.join(unended), ["a"])
    }))

  it.effect("are given up after 2 s if the cluster does not say", () =>
    Effect.gen(function*() {
      const { seen, states } = cluster()
      seen.answer = undefined
      const unended = yield* Effect.forkChild(states.unended(60_000), { startImmediately: true })
      yield* TestClock.adjust(1_999)
      assert.isUndefined(unended.pollUnsafe())
      yield* TestClock.adjust(1)
      assert.isUndefined(yield* Fiber.join(unended))
    }))

  it.effect("are given up at once if the cluster says nothing any longer after that", () =>
    Effect.gen(function*() {
      const { seen, states } = cluster()
      const unended = yield* Effect.forkChild(states.unended(60_000), { startImmediately: true })
      yield* TestClock.adjust(3_000)
      assert.isUndefined(unended.pollUnsafe())
      seen.answer = undefined
      yield* TestClock.adjust(50)
      assert.isUndefined(yield* Fiber.join(unended))
    }))
})
