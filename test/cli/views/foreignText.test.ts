/** Names, reasons and errors of others are shown as text: none of them drives the terminal or begins a line of its own. */
import { assert, describe, it } from "@effect/vitest"
import { printable, printableLines, table } from "../../../src/base/format.ts"
import { describeEvent } from "../../../src/jobProcess/describeEvent.ts"
import { Board } from "../../../src/cli/views/board.ts"
import { JobEvent, StopReport } from "../../../src/index.ts"
import { JobInfo } from "../../../src/manager/models.ts"

const hostile = "\u001b[2J\u001b]0;title\u0007\r\nautostop: all is well\t\u009b31m\u202egnp\u2028\u0000\u007f"
// oxlint-disable-next-line no-control-regex
const control = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/

/** Puts hostile text into all texts of a value, except its tags and times. */
const poisoned = <A>(value: A): A => {
  if (typeof value === "string") return `${value}${hostile}` as A
  if (typeof value !== "object" || value === null) return value
  if (Array.isArray(value)) return value.map(poisoned) as A
  // safe: a copy with the same keys
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => [key, /^_tag$|At$|^at$/.test(key) ? part : poisoned(part)])
  ) as A
}

describe("foreign text", () => {
  it("is shown in one line, with control characters as JSON writes them", () => {
    assert.strictEqual(printable("a\u001b[1m\n\r\t\u009b\u202e"), "a\\u001b[1m\\n\\r\\t\\u009b\\u202e")
    assert.strictEqual(printable("é 🦀 ‍"), "é 🦀 ‍")
    const json = JSON.stringify({ hostile })
    assert.deepStrictEqual(JSON.parse(printable(json)), { hostile })
    assert.strictEqual(printableLines("a\n\tb\u001b"), "a\n\tb\\u001b")
    assert.deepStrictEqual(table([["a\nb", "c"], ["d", "e"]]), ["a\\nb  c", "d     e"])
  })

  it.prop("of any event is shown in one line", { event: JobEvent }, ({ event }) => {
    assert.notMatch(describeEvent(poisoned(event)), control)
  })

  it.prop("of any report is shown where it belongs", { report: StopReport }, ({ report }) => {
    const lines = (report: StopReport) => StopReport.render(report).split("\n")
    const shown = lines(poisoned(report))
    assert.strictEqual(shown.length, lines(report).length)
    for (const line of shown) assert.notMatch(line, control)
  })

  it.prop("of any job is shown where it belongs on the board", { info: JobInfo }, ({ info }) => {
    const board = new Board("http://127.0.0.1:1")
    board.take({ _tag: "Job", info: new JobInfo({ ...info, job: hostile, reason: hostile }) }, 0)
    for (const line of board.lines(0, { rows: 24, selected: info.id })) assert.notMatch(line, control)
  })
})
