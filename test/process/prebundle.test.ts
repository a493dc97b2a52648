import { afterAll, assert, describe, it } from "@effect/vitest"
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { bin, Started } from "../support/cli.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))
const folder = mkdtempSync(join(tmpdir(), "autostop-prebundle-"))
afterAll(() => rmSync(folder, { recursive: true }))

const module = `
import { Job } from "autostop"
import * as direct from "effect/Effect"
import { Effect, Schema } from "effect"
import { createRequire } from "node:module"
const require = createRequire(import.meta.url)
export default Job.make("one", {
  success: Schema.Unknown,
  run: () => Effect.succeed({
    isOneEffect: Effect.succeed === direct.succeed && require("effect").Effect.succeed === direct.succeed,
    isOneJob: require("autostop").Job.make === Job.make,
    stack: new Error("here").stack
  })
})
`

/** A project of a user, with this package and an Effect in its node_modules. */
const project = (name: string, effectVersion?: string): string => {
  const at = join(folder, name)
  mkdirSync(join(at, "node_modules"), { recursive: true })
  writeFileSync(join(at, "package.json"), JSON.stringify({ type: "module" }))
  writeFileSync(join(at, "job.mjs"), module)
  const own = join(at, "node_modules/autostop")
  mkdirSync(own)
  for (const file of ["dist", "package.json"]) cpSync(join(root, file), join(own, file), { recursive: true })
  const effect = join(at, "node_modules/effect")
  if (effectVersion === undefined) symlinkSync(join(root, "node_modules/effect"), effect)
  else {
    mkdirSync(effect)
    for (const entry of readdirSync(join(root, "node_modules/effect"))) {
      if (entry !== "package.json") symlinkSync(join(root, "node_modules/effect", entry), join(effect, entry))
    }
    const contents = JSON.parse(readFileSync(join(root, "node_modules/effect/package.json"), "utf8"))
    writeFileSync(join(effect, "package.json"), JSON.stringify({ ...contents, version: effectVersion }))
  }
  for (const entry of readdirSync(join(root, "node_modules"))) {
    const link = join(at, "node_modules", entry)
    if (entry.startsWith(".") || existsSync(link)) continue
    symlinkSync(join(root, "node_modules", entry), link)
  }
  return at
}

const run = async (at: string, env: Record<string, string> = {}, nodeArgs: ReadonlyArray<string> = []) => {
  const started = new Started(
    [...nodeArgs, join(at, "node_modules/autostop/dist/bin.js"), "run", join(at, "job.mjs"), "--format", "json"],
    env
  )
  assert.strictEqual(await started.ended(), 0, started.stderr)
  const result = started.stderr.split("\n").find((line) => line.startsWith(`{"_tag":"Result"`))
  return JSON.parse(result ?? assert.fail(started.stderr)).exit.value
}

describe("the modules that are bundled", () => {
  it("are those that a job gets, whatever it imports them by, and its stack has its own lines", async () => {
    const at = project("same")
    const { isOneEffect, isOneJob, stack } = await run(at)
    assert.isTrue(isOneEffect)
    assert.isTrue(isOneJob)
    assert.match(stack.split("\n")[1], /job\.mjs:12:12/)
  })

  it("are not used where Effect has another version, and that is the one Effect of the process", async () => {
    const { isOneEffect, isOneJob } = await run(project("other", "4.1.99"))
    assert.isTrue(isOneEffect)
    assert.isTrue(isOneJob)
  })

  it("need no package that a project does not have", async () => {
    const at = project("few")
    rmSync(join(at, "node_modules/@effect"))
    assert.isTrue((await run(at)).isOneEffect)
  })

  it("are not used where somebody else has a hand in the loading, who sees the plain files", async () => {
    const seen = join(folder, "seen")
    const hook = join(folder, "hook.mjs")
    writeFileSync(
      hook,
      `import { appendFileSync } from "node:fs"
       import { registerHooks } from "node:module"
       registerHooks({ load: (url, context, next) => {
         appendFileSync(${JSON.stringify(seen)}, url + "\\n")
         return next(url, context)
       } })`
    )
    const at = project("hooked")
    for (
      const [args, env] of [[[`--import=${hook}`], {}], [["--import", hook], {}], [[], {
        NODE_OPTIONS: `--import ${hook}`
      }]] as const
    ) {
      rmSync(seen, { force: true })
      const { isOneEffect } = await run(at, env, args)
      assert.isTrue(isOneEffect)
      const urls = readFileSync(seen, "utf8")
      assert.match(urls, /\/effect\/dist\/Effect\.js$/m)
      assert.notInclude(urls, "/prebundle/")
    }
  })

  it("are kept compiled only where nobody else can write", async () => {
    for (const [mode, isKept] of [[0o700, true], [0o777, false]] as const) {
      const cache = join(folder, `cache-${mode}`)
      const kept = join(cache, "autostop/node")
      mkdirSync(kept, { recursive: true })
      chmodSync(kept, mode)
      const started = new Started([bin, "--help"], { XDG_CACHE_HOME: cache, NODE_COMPILE_CACHE: "" })
      assert.strictEqual(await started.ended(), 0)
      assert.strictEqual(readdirSync(kept).length > 0, isKept)
    }
  })
})
