import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { type CallCount, counted } from "../../../src/internal/service/callCounter.ts"
import { hostileNames, hostiles } from "../../support/hostile.ts"

const count = (): CallCount => ({ used: undefined })

describe("counting the calls of a service", () => {
  it("runs no getter before it is used: a lazy one connects at its first use, and its calls are counted", () => {
    let connections = 0
    const calls = count()
    const service = counted({
      get query() {
        connections++
        return () => "rows"
      },
      close: () => {}
    }, calls)
    assert.strictEqual(connections, 0)
    assert.strictEqual(service.query(), "rows")
    assert.strictEqual(connections, 1)
    assert.strictEqual(calls.used, 1)
  })

  it("counts from the first use on if a service has nothing but getters", () => {
    const calls = count()
    const service = counted({
      get ping() {
        return Effect.sync(() => "pong")
      },
      get limit() {
        return 5
      }
    }, calls)
    assert.strictEqual(service.limit, 5)
    assert.isUndefined(calls.used)
    assert.strictEqual(Effect.runSync(service.ping), "pong")
    assert.strictEqual(calls.used, 1)
  })

  it("leaves a getter that throws to those who use it", () => {
    const calls = count()
    const service = counted({
      get broken(): () => void {
        throw new Error("not connected")
      },
      works: () => 1
    }, calls)
    assert.throws(() => service.broken(), "not connected")
    assert.strictEqual(service.works(), 1)
    assert.strictEqual(calls.used, 1)
  })

  it("returns a proxy as it is, without a look at it", () => {
    const looks: Array<string> = []
    const handler = new Proxy({}, {
      get: (_, trap: string) => {
        looks.push(trap)
        return undefined
      }
    })
    const service = new Proxy({ call: () => {} }, handler)
    assert.strictEqual(counted(service, count()), service)
    assert.deepStrictEqual(looks, [])
  })

  it("takes any value, and any value as a member", () => {
    for (const name of hostileNames) {
      const value = hostiles[name].make()
      counted(value, count())
      const service = counted({ value, call: () => 1 }, count())
      assert.strictEqual(service.call(), 1)
      assert.isTrue(typeof value === "function" || Object.is(service.value, value), name)
    }
  })
})
