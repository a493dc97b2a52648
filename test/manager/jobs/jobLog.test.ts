import { afterAll, assert, describe, it } from "@effect/vitest"
import { mkdtempSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { JobLog, readLog, removeLog } from "../../../src/manager/jobs/jobLog.ts"

const folder = mkdtempSync(join(tmpdir(), "autostop-log-"))
afterAll(() => rmSync(folder, { recursive: true }))

const open = (id: string, bytes = 2_000) => new JobLog({ folder, bytes }, id, () => {})
const numbers = (lines: ReadonlyArray<{ readonly seq: number }>) => lines.map(({ seq }) => seq)
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i)

describe("the log of a job", () => {
  it("gives each reader each line once, wherever it starts and however often the file is rotated", async () => {
    const log = open("followed")
    await log.add("stdout", "one\ntwo\n", "now")
    const [all, later, slow] = [log.reader(0), log.reader(2), log.reader(0)]
    assert.deepStrictEqual(numbers(all()), [1, 2])
    assert.deepStrictEqual(numbers(slow()), [1, 2])
    assert.deepStrictEqual(all(), [])
    const seen: Array<number> = []
    for (let i = 3; i <= 200; i++) {
      await log.add("stdout", `line ${i}`, "now")
      seen.push(...numbers(all()))
    }
    assert.deepStrictEqual(seen, range(3, 200))
    const kept = readLog(folder, "followed", 0)
    assert.isBelow(kept.length, 60)
    assert.deepStrictEqual(numbers(later()), numbers(kept))
    // the lines that this reader missed are not kept any longer
    assert.deepStrictEqual(numbers(slow()), numbers(kept))
    assert.deepStrictEqual(kept.at(-1), { seq: 200, at: "now", stream: "stdout", text: "line 200" })
  })

  it("keeps the latest lines, and no more bytes than it may", async () => {
    const log = open("limited")
    for (let i = 1; i <= 1_000; i++) await log.add("stderr", `line ${i}`, "now")
    const bytes = ["limited.log", "limited.log.1"].map((name) => statSync(join(folder, name)).size)
    assert.isAtMost((bytes[0] ?? 0) + (bytes[1] ?? 0), 2_200)
    assert.strictEqual(readLog(folder, "limited", 0).at(-1)?.seq, 1_000)
  })

  it("continues its numbers when it is opened again, also right after a rotation", async () => {
    const log = open("again")
    let turned = 0
    for (let i = 1; turned === 0; i++) {
      await log.add("stdout", `line ${i}`, "now")
      if (readLog(folder, "again", 0).length < i) turned = i
    }
    const next = open("again")
    await next.add("stdout", "more", "now")
    assert.strictEqual(readLog(folder, "again", turned).at(-1)?.seq, turned + 1)
    removeLog(folder, "again")
    assert.deepStrictEqual(readLog(folder, "again", 0), [])
  })
})
