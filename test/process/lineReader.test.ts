import { assert, describe, it } from "@effect/vitest"
import { LineReader } from "../../src/process/lineReader.ts"
import { Random } from "../support/malformed.ts"

const readerOf = (longest: number) => {
  const lines: Array<string> = []
  let tooLong = 0
  const reader = new LineReader({ longest, onLine: (line) => lines.push(line), onTooLong: () => tooLong++ })
  return { reader, lines, tooLong: () => tooLong }
}

describe("a reader of lines", () => {
  it("finds the same lines however their bytes were cut", () => {
    const random = new Random(1)
    for (let i = 0; i < 500; i++) {
      const texts = Array.from(
        { length: random.below(6) },
        () => random.pick(["", "a", "ż🦊", "x".repeat(random.below(40))])
      )
      const bytes = Buffer.from(texts.map((text) => `${text}\n`).join("") + "unfinished")
      const { lines, reader } = readerOf(100)
      for (let at = 0; at < bytes.length;) {
        const length = 1 + random.below(8)
        reader.feed(bytes.subarray(at, at + length))
        at += length
      }
      assert.deepStrictEqual(lines, texts)
    }
  })

  it("says once that a line is too long, and reads nothing after it", () => {
    for (const chunk of [1, 3, 50]) {
      const { lines, reader, tooLong } = readerOf(10)
      const bytes = Buffer.from(`0123456789\n${"a".repeat(11)}\nb\n`)
      for (let at = 0; at < bytes.length; at += chunk) reader.feed(bytes.subarray(at, at + chunk))
      assert.deepStrictEqual([lines, tooLong()], [["0123456789"], 1])
    }
  })

  it("reads no line after the one at which it was ended", () => {
    const lines: Array<string> = []
    const reader = new LineReader({
      longest: 10,
      onLine: (line) => {
        lines.push(line)
        reader.end()
      },
      onTooLong: () => assert.fail("no line is too long")
    })
    reader.feed(Buffer.from("a\nb\n"))
    reader.feed(Buffer.from("c\n"))
    assert.deepStrictEqual(lines, ["a"])
  })

  it("keeps no more of the lines than the longest one has", () => {
    const { reader, tooLong } = readerOf(1_000_000)
    for (let i = 0; i < 1_000_000; i++) reader.feed(Buffer.from("a"))
    assert.strictEqual(tooLong(), 0)
    reader.feed(Buffer.from("a"))
    assert.strictEqual(tooLong(), 1)
  })
})
