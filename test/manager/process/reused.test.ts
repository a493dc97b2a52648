import { afterAll, assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { cpSync, mkdtempSync, rmSync, utimesSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import type { StopReport } from "../../../src/index.ts"
import type { JobProcess } from "../../../src/manager/JobProcess.ts"
import { childSettings } from "../../../src/manager/process/jobChild.ts"
import { Spares } from "../../../src/manager/process/spares.ts"
import { startJobProcess } from "../../../src/manager/process/startJobProcess.ts"
import { isGroupAlive, until } from "../../../src/process/processGroup.ts"
import { urlOf } from "../../support/jobProcess.ts"

const folder = mkdtempSync(join(tmpdir(), "autostop-reused-"))
afterAll(() => rmSync(folder, { recursive: true }))

const longMs = 60_000

interface Ended {
  readonly pid: number
  readonly value: { readonly count: number; readonly pid: number } | undefined
  readonly report: StopReport
  readonly lines: Readonly<Record<"stdout" | "stderr", ReadonlyArray<string>>>
}

/** Job processes that may be used again, until the end of `use`. */
const withJobs = async (
  use: (run: typeof runIn extends (_: Spares, ...rest: infer R) => infer T ? (...rest: R) => T : never) => Promise<void>
) => {
  const spares = new Spares({ most: 0, settings: () => childSettings({}) })
  const pids = new Set<number>()
  try {
    await use(async (...args) => {
      const ended = await runIn(spares, ...args)
      pids.add(ended.pid)
      return ended
    })
  } finally {
    spares.close()
  }
  assert.isTrue(await until(() => ![...pids].some(isGroupAlive), longMs))
}

interface Given {
  readonly env?: Readonly<Record<string, string>>
  readonly module?: string
  readonly onStart?: (process: JobProcess) => void
  readonly size?: number
}

const runIn = async (
  spares: Spares,
  act: string,
  { env, module = urlOf("reused"), onStart, size = 1 }: Given = {}
): Promise<Ended> => {
  const id = crypto.randomUUID()
  const lines = { stdout: [] as Array<string>, stderr: [] as Array<string> }
  const process = startJobProcess({
    id,
    submission: { job: "reused", payload: { act, size } },
    code: { module },
    env,
    resultFile: join(folder, `${id}.json`),
    onEvent: ({ _tag }) => _tag === "RunStarted" && onStart?.(process),
    onStages: () => {},
    onOutput: (stream, more) => void lines[stream].push(...more.map(({ text }) => text))
  }, spares)
  const { exit, report } = await Effect.runPromise(process.ended)
  assert.strictEqual(report.jobId, id)
  const { value } = exit as { readonly value?: Ended["value"] }
  return { pid: process.pid ?? 0, value, report, lines }
}

describe("a job whose process may be used again", () => {
  it("runs in the process of the one before, in which the module is loaded", () =>
    withJobs(async (run) => {
      const ended: Array<Ended> = []
      for (let n = 0; n < 20; n++) ended.push(await run("count"))
      assert.deepStrictEqual(ended.map(({ value }) => value?.count), ended.map((_, n) => n + 1))
      assert.strictEqual(new Set(ended.flatMap(({ pid, value }) => [pid, value?.pid])).size, 1)
      for (const { lines, report } of ended) {
        assert.deepInclude(report, { outcome: "succeeded", clean: true })
        assert.deepStrictEqual(lines, { stdout: ["closed"], stderr: [] })
      }
    }))

  it("has its own output alone, of any size and also without an end of its last line", () =>
    withJobs(async (run) => {
      for (const [n, size] of [1, 65_536, 300_000, 10].entries()) {
        const { lines, value } = await run("print", { size })
        assert.strictEqual(value?.count, n + 1)
        assert.strictEqual(lines.stdout.join(""), `${"o".repeat(size)}rest of ${n + 1}closed`)
        assert.strictEqual(lines.stderr.join(""), `${"e".repeat(size)}rest of ${n + 1}`)
      }
    }))

  for (const act of ["fail", "die", "leak", "child", "exit"]) {
    it(`is the last of its process if it does "${act}"`, () =>
      withJobs(async (run) => {
        const first = await run("count")
        const bad = await run(act)
        assert.strictEqual(bad.pid, first.pid)
        assert.isFalse(isGroupAlive(bad.pid))
        if (act === "leak" || act === "child") assert.isAtLeast(bad.report.leftovers.length, 1)
        const next = await run("count")
        assert.notStrictEqual(next.pid, first.pid)
        assert.strictEqual(next.value?.count, 1)
      }))
  }

  it("is the last of its process if it is stopped, with its own report", () =>
    withJobs(async (run) => {
      const first = await run("count")
      const stopped = await run("wait", { onStart: (process) => process.stop({ reason: "enough" }) })
      assert.strictEqual(stopped.pid, first.pid)
      assert.deepInclude(stopped.report, { trigger: "stopped", reason: "enough", clean: true })
      assert.notStrictEqual((await run("count")).pid, first.pid)
    }))

  it("has a new process if that would have other variables, or the module has changed", () =>
    withJobs(async (run) => {
      const copy = join(fileURLToPath(new URL("../fixtures/", import.meta.url)), `copy-${process.pid}.ts`)
      cpSync(fileURLToPath(urlOf("reused")), copy)
      try {
        const module = pathToFileURL(copy).href
        const first = await run("count", { module })
        assert.notStrictEqual((await run("count", { module, env: { OTHER: "1" } })).pid, first.pid)
        assert.notStrictEqual((await run("count")).pid, first.pid)
        assert.strictEqual((await run("count", { module })).value?.count, 2)
        utimesSync(copy, 1, 1)
        assert.strictEqual((await run("count", { module })).value?.count, 1)
      } finally {
        rmSync(copy)
      }
    }))
})
