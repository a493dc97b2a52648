import { assert, describe, it } from "@effect/vitest"
import type { LogLine } from "../../../src/page/api/models.ts"
import { rowsWith } from "../../../src/page/logs/searchLog.ts"
import { LogBuffer, rowAt } from "../../../src/page/state/logBuffer.ts"

const line = (seq: number, text = `line ${seq}`): LogLine => ({
  seq,
  at: `2026-01-01T00:00:${String(seq % 60).padStart(2, "0")}.000Z`,
  stream: "stdout",
  text
})

describe("the log that a tab keeps", () => {
  it("has each line once, although a feed that begins again sends some twice", () => {
    const log = new LogBuffer()
    for (const seq of [1, 2, 2, 1, 3]) log.add(line(seq))
    assert.deepStrictEqual(log.lines.map(({ seq }) => seq), [1, 2, 3])
  })

  it("drops the first lines beyond 16 MiB, and counts them", () => {
    const log = new LogBuffer()
    for (let seq = 1; seq <= 400; seq++) log.add(line(seq, "x".repeat(64 * 1024)))
    assert.isBelow(log.lines.length * 64 * 1024, 16 * 2 ** 20 + 1)
    assert.strictEqual(log.dropped + log.lines.length, 400)
    assert.strictEqual(log.lastSeq, 400)
  })

  it("has marks between the lines before and after them, and a search counts them", () => {
    const log = new LogBuffer()
    for (const seq of [1, 2, 3, 4]) log.add(line(seq))
    log.mark({ at: "2026-01-01T00:00:02.500Z", text: "stopping" })
    log.mark({ at: "2026-01-01T00:00:09.000Z", text: "stopped" })
    const rows = [0, 1, 2, 3, 4, 5, 6].map((index) => rowAt(log.lines, log.placedMarks, index))
    assert.deepStrictEqual(
      rows.map((row) => row?._tag === "Line" ? row.line.seq : row?.text),
      [1, 2, "stopping", 3, 4, "stopped", undefined]
    )
    const search = rowsWith("LINE 3")
    assert.deepStrictEqual(search(log.lines, log.placedMarks), [3])
    log.add(line(5, "again line 3"))
    assert.deepStrictEqual(search(log.lines, log.placedMarks), [3, 5])
  })
})
