import { afterAll, assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Code, Limits } from "../../../src/manager/JobProcess.ts"
import { childSettings } from "../../../src/manager/process/jobChild.ts"
import { makeLauncher } from "../../../src/manager/process/launcher.ts"
import { Spares } from "../../../src/manager/process/spares.ts"
import { startJobProcess } from "../../../src/manager/process/startJobProcess.ts"
import { isGroupAlive } from "../../../src/process/processGroup.ts"
import { commandOf, isLiving, ownChildren, readProcess } from "../../../src/process/processTable.ts"
import { urlOf } from "../../support/jobProcess.ts"

const folder = mkdtempSync(join(tmpdir(), "autostop-spares-"))
afterAll(() => rmSync(folder, { recursive: true }))

const wait = async (isTrue: () => boolean) => {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 10))
}

/** The ids of the job processes that this one has started and that run. */
const children = (): ReadonlyArray<number> =>
  (ownChildren() ?? []).filter((pid) => isLiving(readProcess(pid)) && commandOf(pid).includes("jobMain"))

interface Given {
  readonly limits?: Limits
  readonly env?: Readonly<Record<string, string>>
  readonly confinement?: Code["confinement"]
}

/** Runs a job, and returns the id of its process once it has ended. */
const pidOf = async (spares: Spares, { confinement, env, limits }: Given = {}): Promise<number | undefined> => {
  const id = crypto.randomUUID()
  const { ended, pid } = startJobProcess({
    id,
    submission: { job: "work", payload: { act: "add", text: "x" } },
    code: { module: urlOf("work"), confinement },
    limits,
    env,
    resultFile: join(folder, `${id}.json`),
    onEvent: () => {},
    onStages: () => {},
    onOutput: () => {}
  }, spares)
  const { report } = await Effect.runPromise(ended)
  assert.strictEqual(report.jobId, id)
  if (confinement === undefined) assert.deepInclude(report, { outcome: "succeeded", clean: true })
  assert.isFalse(isGroupAlive(pid ?? 0))
  return pid
}

const settings = () => childSettings({})

const withSpares = async (use: (spares: Spares) => Promise<void>, of = settings) => {
  const spares = new Spares({ most: 2, settings: of })
  try {
    await use(spares)
  } finally {
    spares.close()
  }
  await wait(() => children().length === 0)
}

describe("spare processes for jobs", () => {
  it("are gone once their launcher is closed, also those that were killed just before", async () => {
    const launcher = makeLauncher({ places: 1, spares: { most: 2, settings } })
    launcher.prepare(2)
    await wait(() => children().length === 2)
    const all = children()
    launcher.prepare(1)
    await Effect.runPromise(launcher.close)
    // not even what the system keeps of a process that nobody has waited for
    const left = ownChildren() ?? []
    assert.deepStrictEqual(all.filter((pid) => left.includes(pid)), [])
  })

  it("are as many as there are free slots, up to their largest number, and end when there are fewer", () =>
    withSpares(async (spares) => {
      spares.keep(1)
      await wait(() => children().length === 1)
      spares.keep(9)
      await wait(() => children().length === 2)
      const all = children()
      spares.keep(1)
      await wait(() => children().length === 1)
      assert.includeMembers([...all], [...children()])
    }))

  it("take one job each, in the order in which they were started", () =>
    withSpares(async (spares) => {
      spares.keep(1)
      await wait(() => children().length === 1)
      const [first] = children()
      spares.keep(2)
      await wait(() => children().length === 2)
      const second = children().find((pid) => pid !== first)
      assert.strictEqual(await pidOf(spares), first)
      assert.strictEqual(await pidOf(spares), second)
      assert.notInclude([first, second], await pidOf(spares))
    }))

  it("take no job whose process starts with other variables or limits, and none that is confined", () =>
    withSpares(async (spares) => {
      spares.keep(1)
      await wait(() => children().length === 1)
      const [spare] = children()
      assert.notStrictEqual(await pidOf(spares, { env: { SECRET: "1" } }), spare)
      assert.notStrictEqual(await pidOf(spares, { limits: { memory: 2 ** 30 } }), spare)
      const confinement = { folder, processes: false, read: [], write: [] }
      assert.notStrictEqual(await pidOf(spares, { confinement }), spare)
      assert.strictEqual(await pidOf(spares), spare)
    }))

  it("are thrown away when the settings change", async () => {
    let env: Readonly<Record<string, string>> = {}
    await withSpares(async (spares) => {
      spares.keep(1)
      await wait(() => children().length === 1)
      const [old] = children()
      env = { CHANGED: "1" }
      spares.keep(2)
      await wait(() => children().length === 1 && !children().includes(old ?? 0))
      const [spare] = children()
      assert.strictEqual(await pidOf(spares, { env }), spare)
    }, () => childSettings({ env }))
  })

  it("are not missed if they have ended", () =>
    withSpares(async (spares) => {
      spares.keep(1)
      await wait(() => children().length === 1)
      const [spare = 0] = children()
      process.kill(spare, "SIGKILL")
      await wait(() => children().length === 0)
      assert.notStrictEqual(await pidOf(spares), spare)
    }))
})
