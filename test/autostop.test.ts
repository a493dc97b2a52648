import { assert, describe, it } from "@effect/vitest"
import { bothReleased, fates, fixture, politeSignals, Started } from "./support/cli.ts"

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

  it("exits with 1 for a program that fails with what cannot be printed, and says what it was", async () => {
    const run = new Started([fixture("main.ts"), "odd"])
    assert.strictEqual(await run.ended(), 1)
    assert.include(run.stderr, "[Proxy]")
  })

  for (const [signal, code] of politeSignals) {
    it(`stops the jobs at ${signal}, lets the program report, and exits with ${code}`, async () => {
      const run = await new Started([fixture("main.ts"), "hung"], { LIFE: `{"act":"wait"}` }).said("ready")
      assert.strictEqual(await run.signal(signal).ended(), code, run.stderr)
      assert.include(run.stdout, "report signal cancelled true")
      assert.deepStrictEqual(fates(run), bothReleased)
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
    assert.include(run.stderr, "layer 1 (local): abandoned")
  })

  it("ends a program whose finalizer never ends at the second signal", async () => {
    const run = await new Started([fixture("main.ts"), "never"]).said("opened plain")
    await run.signal("SIGTERM").said("SIGTERM: stopping")
    assert.strictEqual(await (await run.signalAgain("SIGINT")).ended(), 3)
  })
})
