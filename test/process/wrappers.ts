import { assert, describe, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { bin, fixture } from "../support/cli.ts"

const settings = JSON.stringify({ act: "drain", close: "slow" })
const quote = (words: ReadonlyArray<string>): string => words.map((word) => `'${word}'`).join(" ")
/** A stop that begins with a delay, in which what a wrapper sends as well arrives. */
const wordsFor = (delay: string) => [bin, "run", fixture("life.ts"), "--payload", settings, "--delay", delay]
const words = wordsFor("1500ms")
const command = quote([process.execPath, ...words])

/** How people start a program, as a line of a shell in a folder whose package has the script `job`. */
export const wrappers: ReadonlyArray<readonly [name: string, line: string]> = [
  ["nothing", command],
  ["node --watch", quote([process.execPath, "--watch", ...words])],
  ["node --run", quote([process.execPath, "--run", "job"])],
  ["npm run", "npm run job"],
  ["timeout", `timeout --foreground 100 ${command}`],
  ["sh -c", `sh -c "${command.replaceAll("\"", "\\\"")}; true"`]
]

/** Runs the line on a pseudo-terminal of its own. */
const onTerminal = (line: string) => {
  const folder = mkdtempSync(join(tmpdir(), "autostop-wrapped-"))
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "wrapped", scripts: { job: command } }))
  const child = spawn("script", ["--quiet", "--return", "--command", `trap : INT; ${line}; read -r end`, "/dev/null"], {
    cwd: folder,
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, LIFE: settings, TERM: "xterm" }
  })
  let screen = ""
  const closed = once(child, "close").then(() => rmSync(folder, { recursive: true, force: true }))
  child.stdout.on("data", (chunk: Buffer) => screen += chunk)
  return {
    printed: async (text: string) => {
      while (!screen.includes(text)) {
        if (child.exitCode !== null) throw new Error(`it ended without printing "${text}"\n${screen}`)
        await Promise.race([once(child.stdout, "data"), closed])
      }
    },
    pressCtrlC: () => void child.stdin.write("\u0003"),
    /** A wrapper may end before the job, whose terminal is there until a line is typed. */
    ended: async () => {
      child.stdin.write("\n")
      await closed
      return screen
    }
  }
}

/** Ctrl-C at the terminal of each wrapper, counted as a person would. */
export const wrapperCases = (all: typeof wrappers, rounds: number): void => {
  describe(`Ctrl-C at a terminal (${rounds} times)`, () => {
    for (const [name, line] of all) {
      it(`once, under ${name}, is one request`, async () => {
        for (let round = 0; round < rounds; round++) {
          const run = onTerminal(line)
          await run.printed("ready")
          run.pressCtrlC()
          await run.printed("succeeded, clean")
          const screen = await run.ended()
          // the wrapper may have ended before the job: the end of the terminal is a request then, which is none of Ctrl-C
          assert.notMatch(screen, /SIG(?!HUP)\w+: stopping at once/)
          assert.match(screen, /delivered [1-9]/)
          assert.include(screen, "closed outer")
        }
      })
    }

    it("twice, a second apart, is two requests", async () => {
      const run = onTerminal(quote([process.execPath, ...wordsFor("10s")]))
      await run.printed("ready")
      run.pressCtrlC()
      await run.printed("SIGINT: stopping")
      await new Promise((resolve) => setTimeout(resolve, 1_000))
      run.pressCtrlC()
      await run.printed("stopping at once")
      await run.printed("Trigger: signal")
      await run.ended()
    })
  })
}
