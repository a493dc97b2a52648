import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { notStarted } from "../../../src/manager/fallbackResult.ts"
import type { StateOf } from "../../../src/manager/jobs/jobState.ts"
import { hasFailed, nextDelay, restartDelay } from "../../../src/manager/jobs/restartDelay.ts"
import type { RestartSetting } from "../../../src/manager/models.ts"
import { type Outcome, StopReport, type Trigger } from "../../../src/StopReport.ts"

describe("the delay of a restart", () => {
  const delays = (restart: RestartSetting, times: ReadonlyArray<number>) =>
    Effect.forEach(times, (now, index) => restartDelay(restart, times.slice(0, index), now))

  it.effect("is the same each time with the policy fixed, a limited number of times", () =>
    Effect.gen(function*() {
      const restart = { policy: "fixed", delayMs: 100, times: 2 } as const
      assert.deepStrictEqual(yield* delays(restart, [0, 1, 2, 3]), [100, 100, undefined, undefined])
    }))

  it.effect("grows up to the longest one with the policy exponential", () =>
    Effect.gen(function*() {
      const restart = { policy: "exponential", delayMs: 100, maxDelayMs: 350 } as const
      assert.deepStrictEqual(yield* delays(restart, [0, 1, 2, 3]), [100, 200, 350, 350])
    }))

  it.effect("exists with the policy failure-rate until the job fails too often within one interval", () =>
    Effect.gen(function*() {
      const restart = { policy: "failure-rate", failures: 2, intervalMs: 1_000, delayMs: 5 } as const
      assert.deepStrictEqual(yield* delays(restart, [0, 100, 1_050, 1_060]), [5, 5, 5, undefined])
    }))
})

const { exit, report } = notStarted({ id: "it", job: "it", trigger: "failed", at: "" })
const reportOf = (trigger: Trigger, outcome: Outcome) => StopReport.trusted({ ...report, trigger, outcome })

describe("a job has failed", () => {
  const ended = (trigger: Trigger, outcome: Outcome) => hasFailed(reportOf(trigger, outcome))

  it("if its trigger says that it failed or was lost, and not if it was asked to stop", () => {
    assert.isTrue(ended("failed", "failed"))
    assert.isTrue(ended("lost", "cancelled"))
    assert.isFalse(ended("lost", "succeeded"))
    for (const trigger of ["stopped", "signal", "idle", "deadline"] as const) assert.isFalse(ended(trigger, "failed"))
  })
})

describe("the next attempt of a job that has ended", () => {
  const restart = { policy: "fixed", delayMs: 100 } as const
  const next = (
    stop: StateOf<"Ending">["stop"],
    outcome: Outcome,
    trigger: Trigger = "failed",
    setting: RestartSetting | undefined = restart
  ) =>
    nextDelay(
      { _tag: "Ending", info: { state: "running" }, result: { exit, report: reportOf(trigger, outcome) }, stop },
      setting,
      100
    )

  it("follows a failure after the delay of its policy, and no success", () => {
    assert.strictEqual(next(undefined, "failed"), 100)
    assert.isUndefined(next(undefined, "succeeded", "completed"))
    assert.isUndefined(next(undefined, "cancelled", "stopped"))
  })

  it("does not exist after a stop by a client, also if the job failed", () => {
    assert.isUndefined(next({ by: "client", command: {} }, "failed"))
  })

  it("follows at once after a stop by the shutdown, unless the job succeeded", () => {
    assert.strictEqual(next({ by: "shutdown", command: {} }, "cancelled", "stopped"), 0)
    assert.isUndefined(next({ by: "shutdown", command: {} }, "succeeded", "stopped"))
  })
})

describe("a job without a restart policy", () => {
  it("has no next attempt", () => {
    const ending = { _tag: "Ending", info: { state: "running" }, result: { exit, report }, stop: undefined } as const
    assert.isUndefined(nextDelay(ending, undefined, undefined))
    assert.isUndefined(nextDelay({ ...ending, stop: { by: "shutdown", command: {} } }, undefined, undefined))
  })
})
