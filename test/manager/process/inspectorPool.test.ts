import { afterAll, assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { Busy } from "../../../src/manager/errors.ts"
import type { Inspector } from "../../../src/manager/process/inspector.ts"
import { InspectorPool, type PoolOptions } from "../../../src/manager/process/inspectorPool.ts"
import { jobEnvironment } from "../../../src/manager/process/jobEnvironment.ts"

const mebibyte = 1024 * 1024
const folder = mkdtempSync(join(tmpdir(), "autostop-inspectors-"))
const autostop = new URL("../../../src/index.ts", import.meta.url).href

/** Writes a module with a job; `before` is what it does as it loads. */
const module = (name: string, before = ""): string => {
  const file = join(folder, `${name}.mjs`)
  writeFileSync(
    file,
    `import { writeFileSync } from "node:fs"
    import { Job } from ${JSON.stringify(autostop)}
    writeFileSync(${JSON.stringify(join(folder, `${name}.pid.`))} + process.pid, "")
    ${before}
    export default Job.make(${JSON.stringify(name)}, { run: () => Promise.resolve() })`
  )
  return pathToFileURL(file).href
}

/** The processes that have loaded modules of these names, and have not been reaped. */
const living = (...names: ReadonlyArray<string>): number =>
  readdirSync(folder).filter((file) => {
    const [, name = "", pid = ""] = /^(\w+)\.pid\.(\d+)$/.exec(file) ?? []
    if (!names.includes(name)) return false
    try {
      return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"))
    } catch {
      return false
    }
  }).length

const pools: Array<InspectorPool> = []
const makePool = (options: PoolOptions) => {
  const pool = new InspectorPool(options)
  pools.push(pool)
  return (url: string, question: (inspector: Inspector) => Promise<unknown> = ({ loaded }) => loaded) =>
    pool.ask({ module: url, purpose: "check", nodeArgs: [], env: jobEnvironment(), loadMs: 30_000 }, question)
}

/** Checks a submission without a payload. */
const check = (job: string) => (inspector: Inspector) => inspector.check({ job })

describe("the processes that check submissions", () => {
  afterAll(() => {
    for (const pool of pools) pool.close()
    rmSync(folder, { recursive: true, force: true })
  })

  it("are no more at once than there are places, and all are asked", async () => {
    const ask = makePool({ places: 1 })
    const names = ["a", "b", "c"]
    const urls = names.map((name) => module(name))
    let most = 0
    const refusals = await Effect.runPromise(
      Effect.forEach(names, (name, at) =>
        ask(urls[at] ?? "", async (inspector) => {
          const refusal = await inspector.check({ job: name })
          most = Math.max(most, living(...names))
          return refusal
        }), { concurrency: "unbounded" })
    )
    assert.deepStrictEqual(refusals, [undefined, undefined, undefined])
    assert.strictEqual(most, 1)
  })

  it("are asked again while they run", async () => {
    const ask = makePool({ places: 1 })
    const url = module("again")
    for (let i = 0; i < 5; i++) assert.isUndefined(await Effect.runPromise(ask(url, check("again"))))
    assert.strictEqual(readdirSync(folder).filter((file) => file.startsWith("again.pid.")).length, 1)
  })

  it("make room for another module although questions to them go on", async () => {
    const ask = makePool({ places: 1 })
    const busy = module("busy")
    const other = module("other")
    let isAnswered = false
    let release = (): void => {}
    // a question is answered once the next one is put, so that the process is never without one
    const question = (): Promise<void> => {
      release()
      if (!isAnswered) setTimeout(() => Effect.runFork(ask(busy, question)), 10)
      return new Promise((resolve) => {
        const timer = setTimeout(resolve, 5_000)
        release = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
    const others = ask(other, check("other"))
    Effect.runFork(ask(busy, question))
    assert.isUndefined(await Effect.runPromise(others))
    isAnswered = true
    release()
  })

  for (
    const [what, grow] of [
      [
        "buffers",
        "const all = []; for (let i = 0; i < 8; i++) all.push(Buffer.alloc(100 * 1024 * 1024, 1)); await new Promise((go) => setTimeout(go, 60_000))"
      ],
      ["objects", "const all = []; for (;;) all.push({ at: all.length })"]
    ] as const
  ) {
    it(`are killed when the ${what} of their module exceed the memory of a job`, async () => {
      const ask = makePool({ places: 1, memory: 200 * mebibyte })
      const name = `large${what}`
      const refusal = await Effect.runPromise(ask(module(name, grow), check(name)))
      assert.match(
        String(refusal),
        /could not be loaded: (it used \d+ MiB of memory, and its limit is 200 MiB|its process [\s\S]*heap)/
      )
      // a process that is over its limit is no obstacle for the next one
      assert.isUndefined(await Effect.runPromise(ask(module(`after${what}`), check(`after${what}`))))
      assert.strictEqual(living(name), 0)
    })
  }

  it("refuse questions beyond a limit, and none that come once others are answered or given up", async () => {
    const ask = makePool({ places: 1, questions: 2 })
    const hung = module("hung", "await new Promise((go) => setTimeout(go, 60_000))")
    let ended: Inspector | undefined
    const first = Effect.runFork(ask(hung, (inspector) => (ended = inspector).check({ job: "hung" })))
    const second = Effect.runFork(ask(module("waits"), check("waits")))
    const refused = await Effect.runPromise(Effect.flip(ask(module("waits"), check("waits"))))
    assert.instanceOf(refused, Busy)
    assert.strictEqual(refused.message, "2 submissions are being checked, which is the limit: submit again later")
    await Effect.runPromise(Fiber.interrupt(second))
    const third = Effect.runFork(ask(module("waits"), check("waits")))
    ended?.end()
    await Effect.runPromise(Fiber.join(first))
    assert.isUndefined(await Effect.runPromise(Fiber.join(third)))
  })
})
