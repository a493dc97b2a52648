import { afterAll, assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { LogLine } from "../../../src/manager/models.ts"
import { JobLog, readLog, removeLog } from "../../../src/manager/jobs/jobLog.ts"

const folder = mkdtempSync(join(tmpdir(), "autostop-log-"))
afterAll(() => rmSync(folder, { recursive: true }))

const open = (id: string, bytes = 2_000) => new JobLog({ folder, bytes }, id, () => {})
const lines = (...texts: ReadonlyArray<string>) => texts.map((text) => ({ text }))
const numbers = (lines: ReadonlyArray<{ readonly seq: number }>) => lines.map(({ seq }) => seq)
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i)

describe("the log of a job", () => {
  it("gives each reader each line once, wherever it starts and however often the file is rotated", async () => {
    const log = open("followed")
    await log.add("stdout", lines("one", "two"), "now")
    const [all, later, slow] = [log.reader(0), log.reader(2), log.reader(0)]
    assert.deepStrictEqual(numbers(all()), [1, 2])
    assert.deepStrictEqual(numbers(slow()), [1, 2])
    assert.deepStrictEqual(all(), [])
    const seen: Array<number> = []
    for (let i = 3; i <= 200; i++) {
      await log.add("stdout", lines(`line ${i}`), "now")
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
    for (let i = 1; i <= 1_000; i++) await log.add("stderr", lines(`line ${i}`), "now")
    const bytes = ["limited.log", "limited.log.1"].map((name) => statSync(join(folder, name)).size)
    assert.isAtMost((bytes[0] ?? 0) + (bytes[1] ?? 0), 2_200)
    assert.strictEqual(readLog(folder, "limited", 0).at(-1)?.seq, 1_000)
  })

  it("continues its numbers when it is opened again, also right after a rotation", async () => {
    const log = open("again")
    let turned = 0
    for (let i = 1; turned === 0; i++) {
      await log.add("stdout", lines(`line ${i}`), "now")
      if (readLog(folder, "again", 0).length < i) turned = i
    }
    const next = open("again")
    await next.add("stdout", lines("more"), "now")
    assert.strictEqual(readLog(folder, "again", turned).at(-1)?.seq, turned + 1)
    removeLog(folder, "again")
    assert.deepStrictEqual(readLog(folder, "again", 0), [])
  })

  const Step = Schema.Union([
    Schema.Struct({
      do: Schema.Literal("print"),
      lines: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 30 }))
    }),
    Schema.Struct({
      do: Schema.Literals(["disk full", "disk free", "moved away", "folder gone", "cut", "opened again"])
    })
  ])

  it.effect.prop(
    "says where lines are missing, and goes on, whatever happens to its file",
    { steps: Schema.Array(Step).check(Schema.isMaxLength(12)) },
    ({ steps }) =>
      Effect.promise(async () => {
        const own = mkdtempSync(join(folder, "hostile-"))
        const file = join(own, "a.log")
        let log = new JobLog({ folder: own, bytes: 2_000 }, "a", () => {})
        let [read, printed] = [log.reader(0), 0]
        const seen: Array<LogLine> = []
        const print = async (count: number) => {
          await log.add("stdout", range(printed + 1, printed + count).map((n) => ({ text: `line ${n}` })), "now")
          printed += count
          seen.push(...read())
        }
        for (const step of [...steps, { do: "disk free" } as const, { do: "print", lines: 1 } as const]) {
          switch (step.do) {
            case "print":
              await print(step.lines)
              break
            case "disk full":
              rmSync(file, { force: true })
              mkdirSync(own, { recursive: true })
              symlinkSync("/dev/full", file)
              break
            case "moved away":
              if (existsSync(file)) renameSync(file, `${file}.away`)
              break
            case "disk free":
              if (lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink()) rmSync(file)
              break
            case "folder gone":
              rmSync(own, { recursive: true, force: true })
              break
            case "cut":
              if (existsSync(file) && statSync(file).size > 5) truncateSync(file, statSync(file).size - 5)
              break
            case "opened again":
              await log.flush()
              seen.push(...read())
              log = new JobLog({ folder: own, bytes: 2_000 }, "a", () => {})
              printed = 0
              seen.length = 0
              read = log.reader(0)
          }
        }
        await log.flush()
        seen.push(...read())
        // each line that was printed was read, or what was read next says that lines are missing
        for (let n = 1; n <= printed; n++) {
          const next = seen.find(({ mark, text }) => mark === "gap" || Number(text.slice("line ".length)) >= n)
          const isThere = seen.some(({ text }) => text === `line ${n}`)
          assert.isTrue(isThere || seen.some(({ mark }) => mark === "gap"), `line ${n} is missing: ${next?.text}`)
        }
        assert.strictEqual(seen.at(-1)?.text, `line ${printed}`)
        assert.deepStrictEqual(numbers(seen), numbers(seen).toSorted((a, b) => a - b))
      })
  )
})
