/** Real processes in which a job gets a value that is hard to print. */
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { StopReport } from "../../src/index.ts"
import { autostop, bothReleased, fates, fixture } from "../support/cli.ts"
import { fitsJson, type HostileName, hostiles } from "../support/hostile.ts"

export type Act = "throw" | "reject" | "fail" | "die" | "return" | "log" | "release" | "exit"

export const acts: ReadonlyArray<Act> = ["throw", "reject", "fail", "die", "return", "log", "release", "exit"]

/** The outcome and the exit code of each act. */
const ends: Readonly<Record<Act, readonly [outcome: string, code: number]>> = {
  throw: ["failed", 1],
  reject: ["failed", 1],
  fail: ["failed", 1],
  die: ["failed", 1],
  // of a value that is JSON
  return: ["succeeded", 0],
  log: ["succeeded", 0],
  release: ["failed", 1],
  exit: ["failed", 1]
}

/** Runs each of these, and checks that everything is released, and that the report and the exit code are right. */
export const hostileRuns = (cases: Iterable<readonly [act: Act, kind: HostileName]>): void => {
  describe("a job in a process of its own stops well and reports", () => {
    for (const [act, kind] of cases) {
      it(`after it did this: ${act} ${kind}`, async () => {
        const folder = mkdtempSync(join(tmpdir(), "autostop-test-"))
        const file = join(folder, "report.json")
        const payload = JSON.stringify({ act, kind })
        const run = autostop("run", fixture("hostile.ts"), "--payload", payload, "--report", file)
        const code = await run.ended()
        const isMisfit = act === "return" && !fitsJson.has(kind)
        const [outcome, expected] = ends[isMisfit ? "fail" : act]
        const report = Schema.decodeUnknownSync(StopReport)(JSON.parse(readFileSync(file, "utf8")))
        rmSync(folder, { recursive: true })
        assert.isTrue(report.clean)
        assert.strictEqual(report.outcome, outcome)
        if (act !== "exit") assert.strictEqual(code, expected, run.stderr.slice(0, 4_000))
        assert.deepStrictEqual(fates(run), bothReleased)
        assert.include(run.stdout, `Job hostile (${report.jobId}) on local: ${outcome}, clean`)
        if (isMisfit) assert.include(run.stderr, "the result of \"hostile\" does not fit its Schema: ")
        const isShown = act === "return" && !isMisfit
        const shown = isShown ? run.stdout : run.stderr
        if (act !== "exit" && act !== "log") {
          const text = isShown ? shown.slice(shown.indexOf("Result: ") + 8) : shown
          assert.match(text, new RegExp(hostiles[kind].says.source.replaceAll(/[\^$]/g, "")))
        }
      })
    }
  })
}
