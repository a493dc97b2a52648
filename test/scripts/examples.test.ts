import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { spawnSync } from "node:child_process"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { temporaryFolder } from "../support/folder.ts"

const script = fileURLToPath(new URL("../../scripts/examples.ts", import.meta.url))
const fence = "```"

const readme = `# A program

${fence}ts
// hello.ts
import { Job } from "autostop"
export default Job.make("hello", { payload: {}, run: () => Effect.void })
${fence}

${fence}sh
npx autostop run hello.ts
${fence}

${fence}ts
import hello from "./hello.ts"
const name: number = hello.name
${fence}

${fence}ts ignore
services: …
${fence}
`

const module = `/**
 * Adds.
 *
 * ${fence}ts
 * const sum: string = add(1, 2)
 *
 * declare function add(a: number, b: number): number
 * ${fence}
 */
export const add = 1
`

describe("the check of examples", () => {
  it.effect("names the line of its document for each error, and checks neither other languages nor fragments", () =>
    Effect.gen(function*() {
      const folder = yield* temporaryFolder
      mkdirSync(join(folder, "src"))
      writeFileSync(join(folder, "README.md"), readme)
      writeFileSync(join(folder, "src/add.ts"), module)
      const { status, stderr } = spawnSync(process.execPath, [script, folder], { encoding: "utf8" })
      assert.strictEqual(status, 1)
      const [first, second, third, ...others] = stderr.trim().split("\n")
      assert.match(first ?? "", /^README\.md:6: error TS2304: Cannot find name 'Effect'/)
      assert.match(second ?? "", /^README\.md:15: error TS2322: Type 'string' is not assignable to type 'number'/)
      assert.match(third ?? "", /^src\/add\.ts:5: error TS2322: Type 'number' is not assignable to type 'string'/)
      assert.strictEqual(others.length, 1)
      assert.match(others[0] ?? "", /^3 examples in .*, 3 problems$/)
    }))
})
