import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { vi } from "vitest"
import { sameRequestMs, SignalRequests } from "../../src/process/signalRequests.ts"
import { bin, bothReleased, fates, fixture, Started } from "../support/cli.ts"
import { reportOn } from "../support/report.ts"
import { assertClean } from "../../src/testing.ts"

/** How long after the one before each signal comes. */
const Gaps = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 600 }))).check(
  Schema.isMinLength(1),
  Schema.isMaxLength(6)
)

describe("requests to stop", () => {
  it.effect.prop(
    "are signals that come more than 500 ms after the first one of the request before",
    { gaps: Gaps },
    ({ gaps }) =>
      Effect.sync(() => {
        vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setImmediate"] })
        const requests = new SignalRequests()
        let at = 0
        let first = -Infinity
        let expected = 0
        for (const gap of gaps) {
          vi.advanceTimersByTime(gap)
          at += gap
          // the turn of the event loop in which the time passes still belongs to it
          const isNew = at - first > sameRequestMs
          if (isNew) {
            first = at
            expected++
          }
          assert.strictEqual(requests.add("SIGINT"), isNew, `${gaps}`)
          assert.strictEqual(requests.count, expected)
        }
        vi.useRealTimers()
      }),
    { arbitrary: { runs: 500 } }
  )

  it("are counted once by a process and its parent", () => {
    const requests = new SignalRequests()
    assert.isTrue(requests.add("SIGTERM"))
    assert.isFalse(requests.told(1))
    assert.isTrue(requests.told(2))
    assert.isFalse(requests.add("SIGTERM"))
  })

  it("are never signals that the system repeats", () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setImmediate"] })
    const requests = new SignalRequests()
    assert.isTrue(requests.add("SIGXCPU"))
    vi.advanceTimersByTime(1_000)
    assert.isFalse(requests.add("SIGXCPU"))
    assert.isTrue(requests.add("SIGINT"))
    vi.useRealTimers()
  })
})

const settings = { act: "drain", close: "slow" }
const args = [bin, "run", fixture("library.ts"), "--payload", JSON.stringify(settings), "--format", "json"]
const start = (library = "", ...more: ReadonlyArray<string>) =>
  new Started([...args, ...more], { LIFE: JSON.stringify(settings), LIBRARY: library })

const assertGentle = (run: Started) => {
  const report = reportOn(run)
  assertClean(report)
  assert.strictEqual(report.outcome, "succeeded")
  assert.deepStrictEqual(fates(run), bothReleased)
  assert.notInclude(run.stderr, "stopping at once")
}

describe("a process that is asked once", () => {
  for (
    const [first, second, ms] of [["SIGINT", "SIGINT", 5], ["SIGTERM", "SIGHUP", 132], [
      "SIGINT",
      "SIGTERM",
      0
    ]] as const
  ) {
    it(`by ${first} and, ${ms} ms later, ${second} stops gently`, async () => {
      const run = await start().said("ready")
      run.signal(first)
      await run.said(`${first}: stopping`)
      await new Promise((resolve) => setTimeout(resolve, ms))
      run.signal(second)
      assert.strictEqual(await run.ended(), first === "SIGINT" ? 130 : 143, run.stderr)
      assertGentle(run)
    })
  }

  it("in a job of its own process, too", async () => {
    const run = await start("", "--isolate").said("ready")
    await run.signal("SIGTERM").said("SIGTERM: stopping")
    assert.strictEqual(await run.signal("SIGHUP").ended(), 143, run.stderr)
    assertGentle(run)
  })

  it("and is blocked meanwhile does not take the second signal for a second request", async () => {
    const run = await start("blocks at the signal").said("ready")
    await run.signal("SIGTERM").said("blocks")
    assert.strictEqual(await run.signal("SIGTERM").ended(), 143, run.stderr)
    assertGentle(run)
  })
})
