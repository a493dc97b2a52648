import { assert, describe, it } from "@effect/vitest"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll } from "vitest"
import type { StopReport } from "../src/index.ts"
import { fixture, politeSignals, Started } from "./support/cli.ts"

const start = (env: Record<string, string>, ...args: ReadonlyArray<string>) =>
  new Started([fixture("launch.ts"), ...args], env)

describe("launch", () => {
  const folder = mkdtempSync(join(tmpdir(), "autostop-launch-"))
  afterAll(() => rmSync(folder, { recursive: true }))
  const reportIn = (path: string): StopReport => JSON.parse(readFileSync(path, "utf8"))

  for (const [signal, code] of politeSignals) {
    it(`stops an application of plain layers at ${signal}, and reports each of them`, async () => {
      const path = join(folder, `${signal}.json`)
      const run = await start({ AUTOSTOP_REPORT: path }).said("ready")
      assert.strictEqual(await run.signal(signal).ended(), code, run.stderr)
      const report = reportIn(path)
      assert.isTrue(report.clean, run.stderr)
      assert.strictEqual(report.job, "app")
      const names = report.services.map(({ name }) => name)
      for (const name of ["app/Db", "app/Queue"]) assert.include(names, name)
      assert.strictEqual(new Set(names).size, names.length)
      assert.isTrue(report.services.every(({ managed, outcome }) => !managed && outcome === "released"))
      const queue = report.services.find(({ name }) => name === "app/Queue")
      assert.deepStrictEqual(queue?.dependsOn, ["app/Db"])
      assert.deepStrictEqual(run.stdout.match(/closed .*/g), ["closed consumer", "closed queue", "closed db"])
    })
  }

  for (const hung of ["consumer", "queue", "db"]) {
    it(`releases the other layers if ${hung} hangs, names it, and exits with 3`, async () => {
      const path = join(folder, `${hung}.json`)
      const run = await start({ AUTOSTOP_REPORT: path, HANGS: hung }).said("ready")
      assert.strictEqual(await run.signal("SIGTERM").ended(), 3, run.stderr)
      for (const other of ["consumer", "queue", "db"].filter((other) => other !== hung)) {
        assert.include(run.stdout, `closed ${other}`)
      }
      const unclean = reportIn(path).services.filter(({ outcome }) => outcome !== "released")
      assert.deepStrictEqual(unclean.map(({ outcome }) => outcome), ["abandoned"])
      assert.include(run.stderr, "abandoned")
    })
  }

  it("fails as the layer fails that cannot be built, with everything released", async () => {
    const path = join(folder, "broken.json")
    const run = start({ AUTOSTOP_REPORT: path }, "broken")
    assert.strictEqual(await run.ended(), 1)
    assert.include(run.stderr, "no licence")
    assert.isTrue(reportIn(path).clean)
    assert.strictEqual(run.count("opened "), run.count("closed "))
  })

  it("refuses a report file that cannot be written, before anything starts", async () => {
    const run = start({ AUTOSTOP_REPORT: join(folder, "none/report.json") })
    assert.strictEqual(await run.ended(), 2)
    assert.include(run.stderr, "AUTOSTOP_REPORT")
    assert.notInclude(run.stdout, "opened")
  })

  it("refuses a limit for a service that it has not in one line, with the names that there are", async () => {
    const run = start({ AUTOSTOP_RELEASE_TIMEOUT_APP_DBB: "1s" })
    assert.strictEqual(await run.ended(), 2)
    assert.match(
      run.stderr,
      /^autostop: AUTOSTOP_RELEASE_TIMEOUT_APP_DBB limits no service; .*"app\/Db", "app\/Queue".*\n$/
    )
    assert.strictEqual(run.count("opened "), run.count("closed "))
  })

  it("gives one service a limit of its own", async () => {
    const path = join(folder, "limited.json")
    const run = await start({ AUTOSTOP_REPORT: path, HANGS: "db", AUTOSTOP_RELEASE_TIMEOUT_APP_DB: "1s" }).said("ready")
    assert.strictEqual(await run.signal("SIGTERM").ended(), 3)
    const db = reportIn(path).services.find(({ name }) => name === "app/Db")
    assert.isAtLeast(db?.releaseMs ?? 0, 1_000)
  })

  it("has the same for the layers that a program of runMain provides", async () => {
    const path = join(folder, "provided.json")
    const run = await start({ AUTOSTOP_REPORT: path, HANGS: "queue", AUTOSTOP_RELEASE_TIMEOUT: "300ms" }, "provided")
      .said("running")
    assert.strictEqual(await run.signal("SIGTERM").ended(), 3, run.stderr)
    assert.include(run.stdout, "closed db")
    const report = reportIn(path)
    assert.strictEqual(report.services.find(({ name }) => name === "app/Queue")?.outcome, "abandoned")
    assert.deepStrictEqual(report.services.find(({ name }) => name === "app/Queue")?.dependsOn, ["app/Db"])
    assert.strictEqual(report.services.find(({ name }) => name === "app/Db")?.outcome, "released")
  })
})
