import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { spawnSync } from "node:child_process"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { temporaryFolder } from "../support/folder.ts"

const script = fileURLToPath(new URL("../../scripts/lock.ts", import.meta.url))
const repository = fileURLToPath(new URL("../../package-lock.json", import.meta.url))

const run = (...args: ReadonlyArray<string>) => spawnSync(process.execPath, [script, ...args], { encoding: "utf8" })

const incomplete = {
  name: "a",
  lockfileVersion: 3,
  packages: {
    "": { name: "a", devDependencies: { tool: "1.0.0" } },
    "node_modules/tool": {
      version: "1.0.0",
      dev: true,
      optionalDependencies: {
        "@tool/linux-x64-musl": "1.0.0",
        "@tool/darwin-arm64": "1.0.0",
        "tool-win32-x64": "1.0.0"
      }
    },
    "node_modules/tool/node_modules/tool-win32-x64": { version: "1.0.0", dev: true, optional: true }
  }
}

describe("the lock file", () => {
  it("has the packages for every platform, and names no registry", () => {
    const { status, stderr } = run("--check", repository)
    assert.strictEqual(status, 0, stderr)
  })

  it.effect("gains the packages that npm left out, and nothing else", () =>
    Effect.gen(function*() {
      const file = join(yield* temporaryFolder, "package-lock.json")
      writeFileSync(file, JSON.stringify(incomplete))
      const before = run("--check", file)
      assert.strictEqual(before.status, 1)
      assert.deepStrictEqual(before.stderr.trim().split("\n").slice(0, -1), [
        "node_modules/@tool/linux-x64-musl: version 1.0.0 is missing; run npm run lock",
        "node_modules/@tool/darwin-arm64: version 1.0.0 is missing; run npm run lock"
      ])
      assert.strictEqual(run(file).status, 0)
      assert.deepStrictEqual(JSON.parse(readFileSync(file, "utf8")), {
        ...incomplete,
        packages: {
          ...incomplete.packages,
          "node_modules/@tool/darwin-arm64": {
            version: "1.0.0",
            cpu: ["arm64"],
            os: ["darwin"],
            dev: true,
            optional: true
          },
          "node_modules/@tool/linux-x64-musl": {
            version: "1.0.0",
            cpu: ["x64"],
            libc: ["musl"],
            os: ["linux"],
            dev: true,
            optional: true
          }
        }
      })
      assert.strictEqual(run("--check", file).status, 0)
    }))

  it.effect("is refused where it names a registry", () =>
    Effect.gen(function*() {
      const file = join(yield* temporaryFolder, "package-lock.json")
      writeFileSync(
        file,
        JSON.stringify({ packages: { "node_modules/a": { version: "1.0.0", resolved: "https://a.test/a" } } })
      )
      const { status, stderr } = run("--check", file)
      assert.strictEqual(status, 1)
      assert.include(stderr, "node_modules/a: the lock names a registry")
    }))
})
