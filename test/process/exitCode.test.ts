import { assert, describe, it } from "@effect/vitest"
import { type Ending, exitCode } from "../../src/process/exitCode.ts"
import { signalCode, signals } from "../../src/process/signals.ts"

const maybe = [undefined, 0, 1, 7]

/** Everything that can be known when a process ends, in all combinations. */
const endings: ReadonlyArray<Ending> = [true, false].flatMap((isClean) =>
  [undefined, ...signals].flatMap((signal) =>
    maybe.flatMap((crash) =>
      maybe.flatMap((user) =>
        [0, 1, 2].flatMap((own) =>
          [true, false].flatMap((isWritten) =>
            [true, false].map((isTimedOut) => ({ isClean, signal, isTimedOut, crash, user, own, isWritten }))
          )
        )
      )
    )
  )
)

/** The documented order, as a list: the first that is there wins. */
const expected = ({ crash, isClean, isTimedOut, isWritten, own, signal, user }: Ending): number => {
  const known = [
    ...(isClean ? [] : [3]),
    ...(signal === undefined ? [] : [signalCode(signal)]),
    ...(isTimedOut === true ? [124] : []),
    ...[crash, user].filter((code) => code !== undefined && code !== 0),
    ...(crash === 0 ? [0] : []),
    own
  ]
  return known[0] === 0 && isWritten === false ? 1 : known[0] ?? assert.fail()
}

describe("the exit code", () => {
  it(`is the worst of what is known, in one order, in all ${endings.length} combinations`, () => {
    for (const ending of endings) assert.strictEqual(exitCode(ending), expected(ending), JSON.stringify(ending))
  })

  it("is never 0 if output was not written", () => {
    for (const ending of endings) if (ending.isWritten === false) assert.notStrictEqual(exitCode(ending), 0)
  })

  it("is 3 whenever something was left behind, and that of the signal otherwise", () => {
    for (const ending of endings) {
      if (!ending.isClean) assert.strictEqual(exitCode(ending), 3)
      else if (ending.signal !== undefined) assert.strictEqual(exitCode(ending), signalCode(ending.signal))
    }
  })

  for (const [signal, code] of [["SIGHUP", 129], ["SIGINT", 130], ["SIGQUIT", 131], ["SIGTERM", 143]] as const) {
    it(`of ${signal} is ${code}`, () => assert.strictEqual(exitCode({ isClean: true, signal, own: 0 }), code))
  }
})
