import { assert, describe, it } from "@effect/vitest"
import { assertClean } from "../../src/testing.ts"
import { fixture, life, Started } from "../support/cli.ts"
import { reportOn } from "../support/report.ts"

const signals = [["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", 129], ["SIGQUIT", 131]] as const
const fates = (run: Started) => ({ opened: run.count("opened "), closed: run.count("closed ") })
const both = { opened: 2, closed: 2 }
const rounds = Number(process.env["ROUNDS"] ?? 12)

describe("a signal", () => {
  for (const [signal, code] of signals) {
    it(`${signal} stops a job that waits, releases its services, and exits with ${code}`, async () => {
      const run = await life({ act: "wait" }, "--format", "json").said("ready")
      assert.strictEqual(await run.signal(signal).ended(), code, run.stderr)
      const report = reportOn(run)
      assertClean(report)
      assert.deepInclude(report, { trigger: "signal", reason: signal, outcome: "cancelled" })
      assert.deepStrictEqual(fates(run), both)
      assert.include(run.stderr, "A second signal stops at once")
    })
  }

  it("drains a source: what it emitted is delivered, and the outcome is succeeded", async () => {
    const run = await life({ act: "drain" }, "--format", "json").said("ready")
    assert.strictEqual(await run.signal("SIGTERM").ended(), 143, run.stderr)
    const report = reportOn(run)
    assert.strictEqual(report.outcome, "succeeded")
    const [ticks, , mapped] = report.stages
    assert.strictEqual(mapped?.count, ticks?.count)
    assert.include(run.stdout, `delivered ${ticks?.count}\n`)
  })

  it("while services start is honoured: what had started is released, the run never begins", async () => {
    const run = await life({ act: "wait", open: "slow" }, "--format", "json").said("opening inner")
    assert.strictEqual(await run.signal("SIGINT").ended(), 130, run.stderr)
    assert.strictEqual(run.count("ready"), 0)
    assert.strictEqual(run.count("closed "), run.count("opened "))
    assert.isTrue(reportOn(run).clean)
  })

  it("while an acquire hangs ends within the deadline, with exit code 3 and the acquire by name", async () => {
    const run = await life({ act: "wait", open: "hang" }, "--format", "json", "--deadline", "2s").said("opening outer")
    assert.strictEqual(await run.signal("SIGINT").ended(), 3)
    const report = reportOn(run)
    assert.deepInclude(report.leftovers, { kind: "acquire", detail: "outer" })
    assert.deepStrictEqual(fates(run), { opened: 1, closed: 1 })
  })

  it("a second time stops at once: a release that hangs is abandoned by name", async () => {
    const run = await life({ act: "wait", close: "hang" }, "--format", "json", "--strategy", "patient").said("ready")
    await run.signal("SIGINT").said("\"_tag\":\"ServiceReleasing\"")
    assert.strictEqual(await run.signal("SIGINT").ended(), 3)
    assert.include(run.stderr, "stopping at once")
    const report = reportOn(run)
    assert.deepStrictEqual(report.services.map((service) => service.outcome), ["released", "abandoned"])
  })

  it("stops a run that keeps the event loop busy", async () => {
    const run = await life({ act: "spin" }, "--format", "json").said("ready")
    assert.strictEqual(await run.signal("SIGTERM").ended(), 143, run.stderr)
    assert.deepStrictEqual(fates(run), both)
  })

  it(`at ${rounds} random moments of a life: the exit code is exact, and what was opened is closed`, async () => {
    for (let round = 0; round < rounds; round++) {
      const [signal, code] = signals[round % signals.length] ?? assert.fail()
      const settings = { act: ["wait", "drain", "spin"][round % 3] ?? "", open: "slow", close: "slow" }
      const run = await life(settings, "--format", "json").said("JobSubmitted")
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 800))
      const ended = await run.signal(signal).ended()
      assert.strictEqual(ended, code, `${run.stdout}\n${run.stderr}`)
      assert.strictEqual(run.count("closed "), run.count("opened "), run.stdout)
      assertClean(reportOn(run))
    }
  })

  it(`at ${rounds} random moments while it loads: it ends by that signal`, async () => {
    for (let round = 0; round < rounds; round++) {
      const [signal, code] = signals[round % signals.length] ?? assert.fail()
      const run = life({ act: "wait" })
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 400))
      const ended = await run.signal(signal).ended()
      // before the first line of ours runs, the system ends the process
      assert.include([code, signal], ended, run.stderr)
      assert.strictEqual(run.count("closed "), run.count("opened "), run.stdout)
    }
  })

  it("twice in a row at random moments never hangs, and says what was not released", async () => {
    for (let round = 0; round < rounds; round++) {
      const run = await life({ act: "drain", open: "slow", close: "slow" }, "--format", "json").said("JobSubmitted")
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 800))
      run.signal("SIGINT")
      await run.said("SIGINT: stopping")
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 100))
      const ended = await run.signal("SIGINT").ended()
      const report = reportOn(run)
      assert.strictEqual(ended, report.clean ? 130 : 3, run.stderr)
      if (report.clean) assert.strictEqual(run.count("closed "), run.count("opened "))
    }
  })
})

describe("runMain", () => {
  it("runs a program to its end and exits with 0", async () => {
    const run = new Started([fixture("main.ts"), "end"], { LIFE: `{"act":"end"}` })
    assert.strictEqual(await run.ended(), 0, run.stderr)
    assert.include(run.stdout, "report completed succeeded true")
  })

  it("exits with 1 for a program that fails, and prints why", async () => {
    const run = new Started([fixture("main.ts"), "fail"])
    assert.strictEqual(await run.ended(), 1)
    assert.include(run.stderr, "the program failed")
  })

  for (const [signal, code] of signals) {
    it(`stops the jobs at ${signal}, lets the program report, and exits with ${code}`, async () => {
      const run = await new Started([fixture("main.ts"), "hung"], { LIFE: `{"act":"wait"}` }).said("ready")
      assert.strictEqual(await run.signal(signal).ended(), code, run.stderr)
      assert.include(run.stdout, "report signal cancelled true")
      assert.deepStrictEqual(fates(run), both)
    })

    it(`ends a program without jobs at ${signal}, with its finalizers`, async () => {
      const run = await new Started([fixture("main.ts"), "plain"]).said("opened plain")
      assert.strictEqual(await run.signal(signal).ended(), code, run.stderr)
      assert.include(run.stdout, "closed plain")
    })
  }

  it("ends a program whose finalizer never ends, within the deadline, with exit code 3", async () => {
    const run = await new Started([fixture("main.ts"), "never"], { AUTOSTOP_DEADLINE: "500ms" }).said("opened plain")
    assert.strictEqual(await run.signal("SIGTERM").ended(), 3)
    assert.include(run.stderr, "The time is up.")
  })

  it("ends a program whose finalizer never ends at the second signal", async () => {
    const run = await new Started([fixture("main.ts"), "never"]).said("opened plain")
    await run.signal("SIGTERM").said("SIGTERM: stopping")
    assert.strictEqual(await run.signal("SIGINT").ended(), 3)
  })
})
