import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { existsSync, readdirSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import type { Confinement } from "../../../src/manager/JobProcess.ts"
import { startJobProcess } from "../../../src/manager/process/startJobProcess.ts"
import { folder, urlOf } from "../../support/jobProcess.ts"

/** Runs the job that tries to get out, and returns what came of each attempt. */
const escape = async (more: Partial<Confinement> = {}, only?: ReadonlyArray<string>) => {
  const id = crypto.randomUUID()
  const file = join(folder, `${id}.secret`)
  writeFileSync(file, "the secret")
  const module = urlOf("escape")
  const { ended } = startJobProcess({
    id,
    submission: { job: "escape", payload: { file, pid: process.pid, ...only === undefined ? {} : { only } } },
    code: {
      module,
      confinement: { folder: dirname(fileURLToPath(module)), processes: false, read: [], write: [], ...more }
    },
    resultFile: join(folder, `${id}.json`),
    onEvent: () => {},
    onStages: () => {},
    onOutput: () => {}
  })
  const { exit, report } = await Effect.runPromise(ended)
  const { value } = exit as { readonly value?: Readonly<Record<string, string>> }
  return { results: value ?? assert.fail(JSON.stringify({ exit, report })), report, id }
}

describe("uploaded code", () => {
  it("finds no way out of its permissions", async () => {
    const { id, report, results } = await escape()
    const { link, "a thread of a thread": nested, "sqlite, got": got, ...others } = results
    assert.notInclude(JSON.stringify(results), "the secret")
    for (const [name, result] of Object.entries(others)) {
      const expected = name.startsWith("sqlite")
        ? /^ERR_UNKNOWN_BUILTIN_MODULE$/
        : /^(ERR_ACCESS_DENIED|ERR_DLOPEN_DISABLED)$/
      assert.match(result, expected, name)
    }
    assert.strictEqual(got, "none")
    assert.strictEqual(link, "ERR_ACCESS_DENIED")
    assert.notInclude(nested, "secret")
    assert.deepStrictEqual(readdirSync(folder).filter((name) => name.startsWith(id)), [`${id}.json`, `${id}.secret`])
    assert.isFalse(existsSync(join(dirname(fileURLToPath(urlOf("escape"))), "link")))
    assert.strictEqual(report.outcome, "succeeded")
  })

  it("that may start processes may signal them", async () => {
    const { results } = await escape({ processes: true }, ["a process", "signal"])
    assert.deepInclude(results, { "a process": "did: ", signal: "did: true" })
  })
})
