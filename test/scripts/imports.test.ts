import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { spawnSync } from "node:child_process"
import { mkdirSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { temporaryFolder } from "../support/folder.ts"

const script = fileURLToPath(new URL("../../scripts/imports.ts", import.meta.url))

/** The lines that the check prints about a tree of these files. */
const check = Effect.fnUntraced(function*(tree: Readonly<Record<string, string>>) {
  const folder = yield* temporaryFolder
  for (const [file, text] of Object.entries(tree)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    writeFileSync(join(folder, file), text)
  }
  const { status, stderr } = spawnSync(process.execPath, [script, folder], { encoding: "utf8" })
  return { status, lines: stderr.trim().split("\n") }
})

const finds = (name: string, tree: Readonly<Record<string, string>>, problems: ReadonlyArray<string>) =>
  it.effect(name, () =>
    Effect.gen(function*() {
      const { lines, status } = yield* check(tree)
      const count = `${Object.keys(tree).length} files, ${problems.length} problems`
      assert.deepStrictEqual(lines, [...problems, count])
      assert.strictEqual(status, problems.length === 0 ? 0 : 1)
    }))

describe("the check of imports", () => {
  finds("accepts a tree whose imports run one way", {
    "base/a.ts": "export const a = 1",
    "process/b.ts": `import { a } from "../base/a.ts"\nexport const b = a`,
    "internal/run/run.ts": `export * from "../../process/b.ts"\nexport type Job = import("../../Job.ts").Job`,
    "Job.ts": `export interface Job {}\nexport type Self = import("./Job.ts").Job`,
    "index.ts": `export * from "./Job.ts"\nexport * as run from "./internal/run/run.ts"`
  }, [])

  finds("finds an import of a higher part, whichever way it is written", {
    "base/export.ts": `export { cli } from "../cli/cli.ts"`,
    "base/all.ts": `export * from "../cli/cli.ts"`,
    "base/dynamic.ts": `export const load = () => import("../cli/cli.ts")`,
    "base/type.ts": `import type { Cli } from "../cli/cli.ts"\nexport type A = Cli`,
    "base/typeof.ts": `export type A = typeof import("../cli/cli.ts")`,
    "base/comment.ts": `// import "../cli/cli.ts"\nexport const text = 'import "../cli/cli.ts"'`,
    "cli/cli.ts": "export const cli = 1\nexport type Cli = 1"
  }, [
    "base/all.ts: may not import cli/cli.ts",
    "base/dynamic.ts: may not import cli/cli.ts",
    "base/export.ts: may not import cli/cli.ts",
    "base/type.ts: may not import cli/cli.ts",
    "base/typeof.ts: may not import cli/cli.ts"
  ])

  finds(
    "finds an import between parts of the same rank, of a higher folder of internal, and of a higher public module",
    {
      "host/host.ts": `import "../Host.ts"`,
      "jobProcess/job.ts": `import "../host/host.ts"`,
      "internal/service/service.ts": `import "../stop/stop.ts"`,
      "internal/stop/stop.ts": "export {}",
      "manager/manager.ts": `import "../JobManager.ts"\nimport "../Host.ts"`,
      "Host.ts": "export {}",
      "JobManager.ts": "export {}"
    },
    [
      "host/host.ts: may not import Host.ts",
      "internal/service/service.ts: may not import internal/stop/stop.ts",
      "jobProcess/job.ts: may not import host/host.ts",
      "manager/manager.ts: may not import JobManager.ts"
    ]
  )

  finds("finds a circle of files, also one of types only", {
    "base/a.ts": `import { b } from "./b.ts"\nexport const a = b`,
    "base/b.ts": `import { c } from "./c.ts"\nexport const b = c`,
    "base/c.ts": `export const c = async () => (await import("./a.ts")).a`,
    "base/type.ts": `import type { B } from "./typeOnly.ts"\nexport type A = B`,
    "base/typeOnly.ts": `export type B = import("./type.ts").A`
  }, [
    "circle of files: base/a.ts → base/b.ts → base/c.ts → base/a.ts",
    "circle of files: base/type.ts → base/typeOnly.ts → base/type.ts"
  ])

  finds("finds a circle of folders where no file imports itself", {
    "host/wire/a.ts": `import "../caller/b.ts"`,
    "host/caller/b.ts": "export {}",
    "host/caller/c.ts": `import "../wire/d.ts"`,
    "host/wire/d.ts": "export {}"
  }, ["circle of folders: host/caller/ → host/wire/ → host/caller/"])

  finds("finds a file whose part is unknown", {
    "New.ts": `import "./base/a.ts"`,
    "alone/a.ts": "export {}",
    "base/a.ts": "export {}"
  }, [
    "New.ts: scripts/imports.ts does not say which part it belongs to",
    "alone/a.ts: scripts/imports.ts does not say which part it belongs to"
  ])
})
