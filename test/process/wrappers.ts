import { assert, describe, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as Schema from "effect/Schema"
import { StopReport } from "../../src/index.ts"
import { assertClean } from "../../src/testing.ts"
import { bin, fixture } from "../support/cli.ts"

const settings = JSON.stringify({ act: "drain", close: "slow" })
const quote = (words: ReadonlyArray<string>): string => words.map((word) => `'${word}'`).join(" ")
/** A stop that begins with a delay, in which what a wrapper sends as well arrives. */
const wordsFor = (delay: string) => [
  bin,
  "run",
  fixture("life.ts"),
  "--payload",
  settings,
  "--delay",
  delay,
  "--report",
  "report.json"
]
const words = wordsFor("1500ms")
const command = quote([process.execPath, ...words])

/** A line of a shell as one word of another one. */
const inQuotes = (line: string): string => `"${line.replaceAll("\"", "\\\"")}"`
const tool = (name: string) => `'${fileURLToPath(new URL(`../../node_modules/.bin/${name}`, import.meta.url))}'`

/**
 * How people start a program, as a line of a shell in a folder whose package has the script `job`. `tsx` alone kills a program
 * that does not react within 60 ms, which none can answer and a busy machine brings about.
 */
export const wrappers: ReadonlyArray<readonly [name: string, line: string]> = [
  ["nothing", command],
  ["node --watch", quote([process.execPath, "--watch", ...words])],
  ["node --run", quote([process.execPath, "--run", "job"])],
  ["npm run", "npm run job"],
  ["pnpm run", `${tool("pnpm")} run job`],
  ["nodemon", `${tool("nodemon")} --watch package.json --exec ${inQuotes(command)}`],
  ["tsx watch", `${tool("tsx")} watch ${quote(words)}`],
  ["timeout", `timeout --foreground 100 ${command}`],
  ["sh -c", `sh -c ${inQuotes(`${command}; true`)}`]
]

/**
 * What `tsx watch` prints as it kills a program that has not ended 5 s after a signal. On a machine on which a stop takes that
 * long, there is no more to be seen of it.
 */
const killing = "Force killing..."

/** Runs the line on a pseudo-terminal of its own. */
const onTerminal = (line: string) => {
  const folder = mkdtempSync(join(tmpdir(), "autostop-wrapped-"))
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "wrapped", scripts: { job: command } }))
  const child = spawn("script", [
    "--quiet",
    "--return",
    "--command",
    `trap : INT; ${line}; echo "code $?"; read -r end`,
    "/dev/null"
  ], {
    cwd: folder,
    stdio: ["pipe", "pipe", "inherit"],
    // what a wrapper has compiled before, it compiles again
    env: { ...process.env, LIFE: settings, TERM: "xterm", TMPDIR: folder }
  })
  let screen = ""
  const closed = once(child, "close").then(() => rmSync(folder, { recursive: true, force: true }))
  child.stdout.on("data", (chunk: Buffer) => screen += chunk)
  return {
    /** Waits until it has printed a text so many times. Returns false if its wrapper has killed the job instead. */
    printed: async (text: string, times = 1) => {
      while (screen.split(text).length <= times) {
        if (child.exitCode !== null) throw new Error(`it ended without printing "${text}"\n${screen}`)
        if (screen.includes(killing)) return false
        await Promise.race([once(child.stdout, "data"), closed])
      }
      return true
    },
    /** Changes a file that watchers watch. */
    change: () => writeFileSync(join(folder, "package.json"), "{}"),
    report: () =>
      Schema.decodeUnknownSync(Schema.fromJsonString(StopReport))(readFileSync(join(folder, "report.json"), "utf8")),
    pressCtrlC: () => void child.stdin.write("\u0003"),
    /** A wrapper may end before the job, whose terminal is there until a line is typed. */
    ended: async () => {
      child.stdin.write("\n")
      await closed
      return screen
    },
    /** Closes the terminal on whatever still runs. */
    close: async () => {
      child.kill()
      await closed
    }
  }
}

/** Presses Ctrl-C once. */
const pressOnce = async (line: string): Promise<void> => {
  const run = onTerminal(line)
  await run.printed("ready")
  run.pressCtrlC()
  await run.printed("code ")
  // the wrapper may have ended before the job
  if (!await run.printed("on local: succeeded, ")) return run.close()
  const report = run.report()
  const screen = await run.ended()
  assertClean(report)
  assert.deepInclude(report, { trigger: "signal", reason: "SIGINT", outcome: "succeeded" })
  assert.match(screen, /code 130/)
  // the end of the terminal is a request then, which is none of Ctrl-C
  assert.notMatch(screen, /SIG(?!HUP)\w+: stopping at once/)
  assert.match(screen, /delivered [1-9]/)
  assert.include(screen, "closed outer")
}

/** Ctrl-C at the terminal of each wrapper, counted as a person would. */
export const wrapperCases = (all: typeof wrappers, rounds: number): void => {
  describe(`Ctrl-C at a terminal (${rounds} times)`, () => {
    for (const [name, line] of all) {
      it(`once, under ${name}, is one request`, async () => {
        for (let round = 0; round < rounds; round++) await pressOnce(line)
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

/** Watchers that start the job again when a file changes. */
export const restartCases = (): void => {
  describe("a watcher that starts a job again", () => {
    for (
      const [name, words, signal] of [["nodemon", "--watch package.json", "SIGUSR2"], [
        "tsx",
        "watch --include package.json",
        "SIGTERM"
      ]] as const
    ) {
      it(`stops it once, and gently (${name})`, async () => {
        const program = name === "nodemon" ? `--exec ${inQuotes(command)}` : quote(wordsFor("1500ms"))
        const run = onTerminal(`${tool(name)} ${words} ${program}`)
        await run.printed("ready")
        run.change()
        await run.printed(`${signal}: stopping`)
        if (!await run.printed("on local: succeeded, ")) return run.close()
        await run.printed("ready", 2)
        run.pressCtrlC()
        await run.printed("code ")
        if (!await run.printed("on local: succeeded, ", 2)) return run.close()
        assert.notMatch(await run.ended(), /SIG(?!HUP)\w+: stopping at once/)
      })
    }
  })
}
