import { assert, describe, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { bin, fixture } from "../../support/cli.ts"
import { Server } from "../../support/cliServer.ts"

/** `autostop run` of the `life` job on a terminal. */
const runOnTerminal = (settings: Record<string, string>, ...flags: ReadonlyArray<string>) =>
  onTerminal(["run", fixture("life.ts"), "--payload", JSON.stringify(settings), ...flags], {
    LIFE: JSON.stringify(settings)
  })

/** The command line on a pseudo-terminal, which `script` of util-linux makes. */
const onTerminal = (args: ReadonlyArray<string>, env: Record<string, string> = {}) => {
  const words = [process.execPath, bin, ...args]
  const quoted = words.map((word) => `'${word}'`).join(" ")
  const child = spawn("script", ["--quiet", "--return", "--command", quoted, "/dev/null"], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, ...env, TERM: "xterm" }
  })
  let screen = ""
  const closed = once(child, "close")
  const printed = (text: string) =>
    new Promise<void>((resolve, reject) => {
      const look = () => {
        if (screen.includes(text)) resolve()
      }
      child.stdout.on("data", look)
      child.once("close", () => reject(new Error(`it ended without printing "${text}"\n${screen}`)))
    })
  child.stdout.on("data", (chunk: Buffer) => screen += chunk)
  return {
    printed,
    /** Types on the terminal. */
    type: (keys: string) => child.stdin.write(keys),
    ended: async () => {
      await closed
      return { code: child.exitCode, screen }
    }
  }
}

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
