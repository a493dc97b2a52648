import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll } from "vitest"
import { bundle } from "../../../src/manager/code/bundler.ts"
import { inspectBundle } from "../../../src/manager/process/launcher.ts"
import { Server } from "../../support/cliServer.ts"

const root = fileURLToPath(new URL("../../..", import.meta.url))

/** What a project may have that Node alone does not take, or an ES module does not have. */
const project = {
  "package.json": `{ "type": "module" }`,
  "tsconfig.json": `{ "compilerOptions": { "paths": { "@lib/*": ["./src/lib/*"] }, "experimentalDecorators": true } }`,
  "src/lib/color.ts": `
    export enum Color { Red = "red", Blue = "blue" }
    const doubled = (_: object, __: string, { value }: PropertyDescriptor) =>
      ({ value: () => value() + value() })
    export class Paint { @doubled mix() { return Color.Red } }`,
  "src/job.ts": `
    import { Job } from "autostop"
    import { Effect, Schema } from "effect"
    import { readFileSync } from "node:fs"
    import { join } from "node:path"
    import { Color, Paint } from "@lib/color.ts"
    import dependency from "dependency"
    const near = readFileSync(join(import.meta.dirname, "near.txt"), "utf8")
    export default Job.make("painted", {
      success: Schema.Unknown,
      run: () => Effect.sync(() => [Color.Blue, new Paint().mix(), dependency.read(), near, dependency.isFile])
    })`,
  "src/near.txt": "near",
  "src/job.cjs": `
    const { Job } = require("autostop")
    const { Effect, Schema } = require("effect")
    const dependency = require("dependency")
    module.exports = Job.make("common", {
      success: Schema.Unknown,
      run: () => Effect.sync(() => [dependency.read(), Effect.succeed === require("effect/Effect").succeed, typeof __filename])
    })`,
  "src/named.cjs": `
    const { Job } = require("autostop")
    const { Effect } = require("effect")
    exports.other = 1
    exports.job = Job.make("named", { run: () => Effect.void })`,
  "node_modules/dependency/package.json": `{ "name": "dependency", "main": "lib/index.js" }`,
  "node_modules/dependency/data/a.txt": "a",
  "node_modules/dependency/lib/b.txt": "b",
  "node_modules/dependency/lib/index.js": `
    const { readFileSync } = require("node:fs")
    const path = require("node:path")
    const read = (file) => readFileSync(file, "utf8")
    exports.read = () => read(path.join(__dirname, '..', 'data', 'a.txt')) + read(__dirname + "/b.txt")
    exports.isFile = typeof __filename`
}

describe("the bundle of a job", () => {
  const folder = mkdtempSync(join(tmpdir(), "autostop-bundled-"))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  const there = join(folder, "project")
  for (const [name, text] of Object.entries(project)) {
    mkdirSync(dirname(join(there, name)), { recursive: true })
    writeFileSync(join(there, name), text)
  }
  symlinkSync(root, join(there, "node_modules/autostop"))
  symlinkSync(join(root, "node_modules/effect"), join(there, "node_modules/effect"))

  it.live("is the same wherever the project lies, and says nothing of that place", () =>
    Effect.gen(function*() {
      const elsewhere = join(folder, "deep/down/project")
      cpSync(there, elsewhere, { recursive: true, verbatimSymlinks: true })
      for (const module of ["job.ts", "job.cjs", "named.cjs"]) {
        const one = yield* bundle(join(there, "src", module))
        const other = yield* bundle(join(elsewhere, "src", module))
        assert.strictEqual(other.hash, one.hash)
        assert.notInclude(Buffer.from(one.content).toString("utf8"), folder)
      }
    }))

  it.live("has the job of an ES module and of a CommonJS module", () =>
    Effect.gen(function*() {
      for (const [module, name] of [["job.ts", "painted"], ["job.cjs", "common"], ["named.cjs", "named"]] as const) {
        const path = join(there, "src", module)
        assert.strictEqual(yield* inspectBundle(path, yield* bundle(path)), name)
      }
      writeFileSync(join(there, "src/none.ts"), "export const a = 1")
      const none = join(there, "src/none.ts")
      const message = yield* Effect.flip(inspectBundle(none, yield* bundle(none)))
      assert.strictEqual(message, `the module ${none} exports no job; expected "export default Job.make(…)"`)
    }))

  it.live("is refused in one line, with the place of what is wrong", () =>
    Effect.gen(function*() {
      const cases = [
        ["import './missing.js'", /Could not resolve '\.\/missing\.js' in wrong\.ts \(wrong\.ts:1:8\)$/],
        ["export const a: number = ;", /Unexpected token \(wrong\.ts:1:26\)$/],
        ["import { gone } from './near.ts'; gone()", /gone.*near\.ts/]
      ] as const
      writeFileSync(join(there, "src/near.ts"), "export const a = 1")
      const wrong = join(there, "src/wrong.ts")
      for (const [text, says] of cases) {
        writeFileSync(wrong, text)
        const message = yield* Effect.flip(bundle(wrong))
        assert.match(message, says)
        assert.isTrue(message.startsWith(`the module ${wrong} cannot be bundled: `))
        assert.notMatch(message, /[\p{Cc}]/u)
      }
    }))

  it("runs at a manager with all that the project has", async () => {
    await using server = await Server.start()
    const result = async (module: string) => {
      const { code, stderr, stdout } = await server.run(
        "submit",
        join(there, "src", module),
        "--id",
        module.slice(0, 3)
      )
      assert.strictEqual(code, 0, stderr)
      await server.stopped(stdout)
      const { exit } = JSON.parse(await server.ask(`/jobs/${stdout}/result`))
      await server.run("delete", stdout)
      return exit.value
    }
    assert.deepStrictEqual(await result("job.ts"), ["blue", "redred", "ab", "near", "string"])
    assert.deepStrictEqual(await result("job.cjs"), ["ab", true, "string"])
  })
})
