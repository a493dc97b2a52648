import { assert, describe, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { bin, fixture } from "../../support/cli.ts"

/** `autostop run` of the `life` job on a pseudo-terminal, which `script` of util-linux makes. */
const onTerminal = (settings: Record<string, string>) => {
  const words = [process.execPath, bin, "run", fixture("life.ts"), "--payload", JSON.stringify(settings)]
  const quoted = words.map((word) => `'${word}'`).join(" ")
  const child = spawn("script", ["--quiet", "--return", "--command", quoted, "/dev/null"], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, LIFE: JSON.stringify(settings), TERM: "xterm" }
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
    const { code, screen } = await onTerminal({ act: "end", open: "well", close: "well" }).ended()
    assert.include(screen, "succeeded, clean")
    assert.notInclude(screen, "Left over")
    assert.strictEqual(code, 0)
  })

  it("is stopped by Ctrl-C, clean", async () => {
    const run = onTerminal({ act: "wait", open: "well", close: "well" })
    // it is drawn again, over what was drawn before
    await run.printed("\u001b[")
    run.type("\u0003")
    const { code, screen } = await run.ended()
    assert.include(screen, "clean")
    assert.notInclude(screen, "NOT CLEAN")
    assert.include(screen, "\u001b[", "nothing was drawn in place")
    assert.strictEqual(code, 130)
  })
})
