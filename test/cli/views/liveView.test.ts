import { assert, describe, it } from "@effect/vitest"
import { fixture } from "../../support/cli.ts"
import { Server } from "../../support/cliServer.ts"
import { onTerminal } from "../../support/terminal.ts"

/** `autostop run` of the `life` job on a terminal. */
const runOnTerminal = (settings: Record<string, string>, ...flags: ReadonlyArray<string>) =>
  onTerminal(["run", fixture("life.ts"), "--payload", JSON.stringify(settings), ...flags], {
    LIFE: JSON.stringify(settings)
  })

describe("a run on a terminal", () => {
  it("is shown live, and leaves nothing of that behind", async () => {
    const { code, screen } = await runOnTerminal({ act: "end", open: "well", close: "well" }).ended()
    assert.include(screen, "succeeded, clean")
    assert.notInclude(screen, "Left over")
    assert.strictEqual(code, 0)
  })

  it("is stopped by Ctrl-C, clean", async () => {
    const run = runOnTerminal({ act: "wait", open: "well", close: "well" })
    // it is drawn again, over what was drawn before
    await run.printed("\u001b[")
    run.type("\u0003")
    const { code, screen } = await run.ended()
    assert.include(screen, "clean")
    assert.notInclude(screen, "NOT CLEAN")
    assert.include(screen, "\u001b[", "nothing was drawn in place")
    assert.strictEqual(code, 130)
  })

  it("says whom its stop waits for, and whom that holds up", async () => {
    const settings = { act: "end", open: "well", close: "hang" }
    const run = runOnTerminal(settings, "--release-timeout", "1500ms")
    await run.printed("Waiting for outer, ")
    const { code, screen } = await run.ended()
    assert.match(screen, /Stopping \(completed, drain\); .* of 25 s/)
    assert.match(screen, /Waiting for outer, \d\.\d of 1\.5 s; holds up inner/)
    assert.match(screen, /Stopped \(completed, drain\)/)
    assert.match(screen, /outer +██████████!? +abandoned/)
    assert.strictEqual(code, 3)
  })
})

describe("the stop of a job at a manager, on a terminal", () => {
  it("is shown live with --wait, and ends with the report and its exit code", async () => {
    await using server = await Server.start()
    const id = await server.submit({ name: "Ada", act: "wait" })
    await server.logged(id, "hello Ada")
    const stop = onTerminal(["stop", id, "--wait", "--reason", "enough", "--url", server.url])
    const { code, screen } = await stop.ended()
    assert.match(screen, /Stopped \(stopped, drain\): enough; .* of 2 s/)
    assert.match(screen, /test\/Voice .* released/)
    assert.match(screen, /Job greet \(.*\) on remote: cancelled, clean/)
    assert.strictEqual(code, 1)
  })
})
