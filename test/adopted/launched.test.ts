import { assert, it } from "@effect/vitest"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { StopReport } from "../../src/index.ts"
import { Started } from "../support/cli.ts"

it("an application of a hundred layers of Effect's own packages leaves nothing behind in its process at SIGTERM", async () => {
  const folder = mkdtempSync(join(tmpdir(), "autostop-adopted-"))
  const path = join(folder, "report.json")
  const main = fileURLToPath(new URL("launched.main.ts", import.meta.url))
  const run = await new Started([main], { AUTOSTOP_REPORT: path }).said("ready")
  assert.strictEqual(await run.signal("SIGTERM").ended(), 143, run.stderr)
  const report: StopReport = JSON.parse(readFileSync(path, "utf8"))
  rmSync(folder, { recursive: true })
  assert.isTrue(report.clean)
  assert.deepStrictEqual(report.leftovers, [])
  assert.isAtLeast(report.services.length, 100)
  assert.strictEqual(new Set(report.services.map(({ name }) => name)).size, report.services.length)
  const unreleased = report.services.filter(({ initialized, outcome }) => initialized && outcome !== "released")
  assert.deepStrictEqual(unreleased, [])
})
