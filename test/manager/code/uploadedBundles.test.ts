import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import { readdirSync } from "node:fs"
import { join } from "node:path"
import { hashOf, versions } from "../../../src/manager/code/bundle.ts"
import { UploadedBundles } from "../../../src/manager/code/uploadedBundles.ts"
import { JobStore } from "../../../src/manager/JobStore.ts"
import { openStore } from "../../../src/manager/store/openStore.ts"
import { temporaryFolder } from "../../support/folder.ts"

const bundleOf = (files: number): string => {
  const entries = Array.from({ length: files - 1 }, (_, index) => [`${index}.js`, { text: "" }] as const)
  return JSON.stringify({ versions, files: Object.fromEntries([["job.js", { text: "" }], ...entries]) })
}

const permissions = { processes: false, read: [], write: [] }

const bundlesIn = (folder: string, content: string): UploadedBundles => {
  const store = {
    bundle: () => Effect.succeed(content),
    bundleBytes: () => Effect.succeed(0),
    addBundle: () => Effect.void
  }
  // safe: nothing else of the store is used
  return new UploadedBundles(store as unknown as JobStore["Service"], { folder, permissions, bytes: 2 ** 30 })
}

describe("uploaded bundles of many files", () => {
  it.live("are unpacked in turns, whole and once, while others go on", () =>
    Effect.scoped(Effect.gen(function*() {
      const folder = join(yield* temporaryFolder, "bundles")
      const content = bundleOf(2_000)
      const hash = hashOf(content)
      const bundles = bundlesIn(folder, content)
      let turns = 0
      const unpacked = yield* Effect.forkChild(Effect.all([bundles.codeOf(hash), bundles.codeOf(hash)], {
        concurrency: "unbounded"
      }))
      while (unpacked.pollUnsafe() === undefined) {
        yield* Effect.sleep(0)
        turns++
      }
      const [one, two] = yield* Fiber.join(unpacked)
      assert.deepStrictEqual(one, two)
      assert.isAtLeast(turns, 20)
      assert.deepStrictEqual(readdirSync(folder), [hash])
      assert.strictEqual(readdirSync(join(folder, hash)).length, 2_001)
    })))

  it.live("leave nothing behind if the job is stopped meanwhile", () =>
    Effect.scoped(Effect.gen(function*() {
      const folder = join(yield* temporaryFolder, "bundles")
      const content = bundleOf(2_000)
      const unpacking = yield* Effect.forkChild(bundlesIn(folder, content).codeOf(hashOf(content)), {
        startImmediately: true
      })
      yield* Effect.sleep(0)
      yield* Fiber.interrupt(unpacking)
      assert.deepStrictEqual(readdirSync(folder), [])
    })))

  it.live("are refused beyond a number", () =>
    Effect.scoped(Effect.gen(function*() {
      const add = (content: string, folder: string) =>
        bundlesIn(folder, content).add(hashOf(content), Buffer.from(content), "now")
      const folder = yield* temporaryFolder
      yield* add(bundleOf(10_000), folder)
      const refused = yield* Effect.flip(add(bundleOf(10_001), folder))
      assert.strictEqual(
        refused.message,
        "the bundle has 10001 files, and a manager takes at most 10000: import less"
      )
    })))

  it.live("are refused beyond a size of all together, unless those that no job uses make room", () =>
    Effect.scoped(Effect.gen(function*() {
      const folder = yield* temporaryFolder
      const store = Context.get(yield* Layer.build(openStore(join(folder, "jobs.db"))), JobStore)
      const content = (name: string) => JSON.stringify({ versions, files: { "job.js": { text: name.repeat(400) } } })
      const bytes = content("a").length
      const bundles = new UploadedBundles(store, { folder: join(folder, "bundles"), permissions, bytes: 2 * bytes })
      const add = (name: string, minutes: number) => {
        const text = content(name)
        return bundles.add(hashOf(text), Buffer.from(text), new Date(minutes * 60_000).toISOString())
      }
      yield* add("a", 0)
      yield* add("b", 1)
      const refused = yield* Effect.flip(add("c", 50))
      assert.strictEqual(refused._tag, "Busy")
      assert.strictEqual(
        refused.message,
        `the bundle has ${bytes} bytes, the others have ${2 * bytes}, and this manager keeps at most ${2 * bytes} ` +
          "together: remove jobs with \"autostop clean\", or start the manager with a larger --max-bundles"
      )
      // one that is there already needs no room
      yield* add("b", 50)
      yield* add("c", 61)
      assert.isUndefined(yield* store.bundle(hashOf(content("a"))))
      assert.isDefined(yield* store.bundle(hashOf(content("b"))))
      const all = yield* Effect.forEach(["d", "e"], (name) => Effect.exit(add(name, 62)), { concurrency: "unbounded" })
      assert.deepStrictEqual(all.map(({ _tag }) => _tag).toSorted(), ["Failure", "Success"])
    })))
})
