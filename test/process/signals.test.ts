import { assert, describe, it } from "@effect/vitest"
import { constants } from "node:os"
import { actions, isSignal, signalCode, signals } from "../../src/process/signals.ts"
import { bin, bothReleased, fates, fixture, life, Started } from "../support/cli.ts"
import { assertClean } from "../../src/testing.ts"
import { reportOn } from "../support/report.ts"

const names = Object.keys(constants.signals)

/** The signals that end a process which does not listen to them, as far as Node does not take them itself. */
const left = new Set(["fault", "profiler", "debugger", "uncatchable", "ignored by Node", "alias", "no end"])

describe("the table of signals", () => {
  it("has each signal of the system, as a stop or with the reason why not", () => {
    for (const name of names) {
      assert.isTrue(name in actions, name)
      const action: string = actions[name as keyof typeof actions]
      assert.strictEqual(isSignal(name), !left.has(action), name)
    }
  })

  it("has one name for each number", () => {
    const numbers = signals.map((signal) => constants.signals[signal])
    assert.strictEqual(new Set(numbers).size, numbers.length)
  })
})

describe("a signal whose default is to end the process is a stop", () => {
  for (const signal of signals) {
    it(`${signal} releases the services, and the exit code is ${signalCode(signal)}`, async () => {
      const run = await life({ act: "wait" }, "--format", "json").said("ready")
      assert.strictEqual(await run.signal(signal).ended(), signalCode(signal), run.stderr)
      assertClean(reportOn(run))
      assert.deepInclude(reportOn(run), { trigger: "signal", reason: signal })
      assert.deepStrictEqual(fates(run), bothReleased)
    })
  }

  it("also where it reaches the process of an isolated job alone", async () => {
    const run = await new Started([bin, "run", "--isolate", fixture("stuck.ts"), "--format", "json"]).said("ready")
    process.kill(Number(/^job (\d+)$/m.exec(run.stdout)?.[1]), "SIGUSR2")
    assert.strictEqual(await run.ended(), signalCode("SIGUSR2"), run.stderr)
    assertClean(reportOn(run))
    assert.deepStrictEqual(fates(run), bothReleased)
  })

  it("unless the program listens to it, because it means something else then", async () => {
    const settings = JSON.stringify({ act: "wait" })
    const run = await new Started([bin, "run", fixture("library.ts"), "--payload", settings, "--format", "json"], {
      LIFE: settings,
      LIBRARY: "listens to SIGUSR2"
    }).said("ready")
    await run.signal("SIGUSR2").said("a snapshot")
    assert.notInclude(run.stderr, "SIGUSR2: stopping")
    assert.strictEqual(await run.signal("SIGTERM").ended(), 143, run.stderr)
  })
})
