import { assert, describe, it } from "@effect/vitest"
import {
  erasing,
  type LastOutput,
  nothingPrinted,
  othersPrinted,
  viewDrawn
} from "../../../src/cli/views/lastOutput.ts"

const midLine: LastOutput = { _tag: "Others", isMidLine: true }
const newLine: LastOutput = { _tag: "Others", isMidLine: false }
const view: LastOutput = { _tag: "View", lines: 3 }

describe("the last output of a live view", () => {
  it("is the view once it was drawn, whatever was there before", () => {
    for (const before of [midLine, newLine, view]) {
      assert.deepStrictEqual(viewDrawn(before, 2), { _tag: "View", lines: 2 })
    }
  })

  it("stays that of others after an empty view, so that the next view still begins on a new line", () => {
    assert.deepStrictEqual(viewDrawn(midLine, 0), midLine)
    assert.deepStrictEqual(viewDrawn(newLine, 0), newLine)
    assert.deepStrictEqual(viewDrawn(view, 0), { _tag: "View", lines: 0 })
  })

  it("has a line without an end only after text of others that ends in none", () => {
    assert.deepStrictEqual(nothingPrinted, newLine)
    assert.deepStrictEqual(othersPrinted("text"), midLine)
    assert.deepStrictEqual(othersPrinted("text\n"), newLine)
    assert.deepStrictEqual(othersPrinted(Buffer.from("text")), midLine)
    assert.deepStrictEqual(othersPrinted(Buffer.from("text\n")), newLine)
  })

  it("is erased by the number of its lines if it is a view, and never if it is of others", () => {
    assert.strictEqual(erasing(view), "\u001b[3A\u001b[0J")
    for (const last of [midLine, newLine, viewDrawn(view, 0)]) assert.strictEqual(erasing(last), "")
  })
})
