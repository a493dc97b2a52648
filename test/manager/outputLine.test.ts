import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { LineSplitter, longestLine, type OutputLine } from "../../src/manager/outputLine.ts"

/** Splits text that comes in pieces. */
const split = (pieces: ReadonlyArray<string>): ReadonlyArray<OutputLine> => {
  const splitter = new LineSplitter()
  return [...pieces.flatMap((piece) => splitter.add(piece)), ...splitter.end()]
}

/** Puts the lines together again. */
const joined = (lines: ReadonlyArray<OutputLine>) =>
  lines.map(({ continued, text }, n) => continued || n === lines.length - 1 ? text : `${text}\n`).join("")

describe("output", () => {
  for (const around of [-1, 0, 1, 2]) {
    it(`has no empty line after a line of the longest length ${around < 0 ? around : `+${around}`}`, () => {
      const long = "x".repeat(longestLine + around)
      for (const pieces of [[`${long}\nnext\n`], [long, "\nnext\n"], [long, "\n", "next", "\n"]]) {
        const lines = split(pieces)
        assert.strictEqual(joined([...lines, { text: "" }]), `${long}\nnext\n`)
        assert.strictEqual(lines.filter(({ text }) => text === "").length, 0)
        assert.strictEqual(lines[0]?.continued, around > 0 ? true : undefined)
      }
    })
  }

  it("is split nowhere within a character", () => {
    const lines = split([`${"x".repeat(longestLine - 1)}\u{1f600}\n`])
    assert.isTrue(lines.every(({ text }) => text.isWellFormed()))
  })

  it.prop(
    "has the same lines, however it comes",
    { pieces: Schema.Array(Schema.Literals(["a", "b\n", "\n", "\r\n", "10%\r20%\r", "x\n\ny"])) },
    ({ pieces }) => assert.deepStrictEqual(split(pieces), split([pieces.join("")]))
  )

  it("shows the last state of a line that a program overwrites, and no carriage return", () => {
    assert.deepStrictEqual(split(["10%\r", "20%\r", "30%\r\nwindows\r\n"]), [{ text: "30%" }, { text: "windows" }])
  })

  it("shows an unfinished line before its end, and continues it", () => {
    const splitter = new LineSplitter()
    assert.deepStrictEqual(splitter.add("10%\r20%"), [])
    assert.isTrue(splitter.isUnfinished)
    assert.deepStrictEqual(splitter.takeUnfinished(), [{ text: "20%", continued: true }])
    assert.isFalse(splitter.isUnfinished)
    assert.deepStrictEqual(splitter.add(" done\n"), [{ text: " done" }])
    assert.deepStrictEqual(splitter.end(), [])
  })
})
