import { assert, describe, it } from "@effect/vitest"
import { type Ending, exitCode } from "../../src/process/exitCode.ts"

const rows: ReadonlyArray<readonly [what: string, ending: Ending, code: number]> = [
  ["a program that succeeded", { isClean: true, own: 0 }, 0],
  ["a program that failed", { isClean: true, own: 1 }, 1],
  ["a program that was used wrongly", { isClean: true, own: 2 }, 2],
  ["an error that nobody caught", { isClean: true, crash: 1, own: 0 }, 1],
  ["a call of process.exit(0) in a program that fails", { isClean: true, crash: 0, own: 1 }, 0],
  ["a call of process.exit(7)", { isClean: true, crash: 7, own: 1 }, 7],
  ["SIGHUP", { isClean: true, signal: "SIGHUP", own: 1 }, 129],
  ["SIGINT", { isClean: true, signal: "SIGINT", own: 0 }, 130],
  ["SIGQUIT", { isClean: true, signal: "SIGQUIT", own: 0 }, 131],
  ["SIGTERM and a crash", { isClean: true, signal: "SIGTERM", crash: 7, own: 0 }, 143],
  ["something that was left behind", { isClean: false, own: 0 }, 3],
  ["something that was left behind after SIGTERM and a crash", {
    isClean: false,
    signal: "SIGTERM",
    crash: 7,
    own: 0
  }, 3]
]

describe("the exit code", () => {
  for (const [what, ending, code] of rows) {
    it(`of ${what} is ${code}`, () => assert.strictEqual(exitCode(ending), code))
  }
})
