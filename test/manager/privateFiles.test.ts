import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { JobManager } from "../../src/index.ts"
import type { Options } from "../../src/JobManager.ts"
import { keepPrivate, readPrivate, readSecretFile, writePrivate } from "../../src/manager/privateFiles.ts"
import { temporaryFolder } from "../support/folder.ts"

const modeOf = (path: string): number => statSync(path).mode & 0o7777
/** All permissions that others may have. */
const modes = Array.from({ length: 0o100 }, (_, others) => 0o700 | others)

/** Starts a manager, and returns why it did not start, if so. */
const start = (folder: string, options: Partial<Options> = {}) =>
  Effect.match(Effect.scoped(Layer.build(JobManager.layer({ jobs: [], port: 0, folder, ...options }))), {
    onFailure: ({ message, reason }) => ({ message, reason: reason as string }),
    onSuccess: () => undefined
  })

const within = (use: (folder: string) => void): void => {
  const folder = mkdtempSync(join(tmpdir(), "autostop-private-"))
  try {
    use(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

describe("a private folder or file", () => {
  it("is kept from others if they could read it, and refused if they could write it", () =>
    within((folder) => {
      const file = join(folder, "file")
      writeFileSync(file, "")
      for (const [mode, path] of modes.flatMap((mode) => [[mode, folder], [mode, file]] as const)) {
        chmodSync(path, mode)
        const fault = keepPrivate(path)
        if ((mode & 0o022) === 0) {
          assert.isUndefined(fault)
          assert.strictEqual(modeOf(path), 0o700)
        } else {
          assert.match(
            fault ?? "",
            /^others may write the (file|folder) .* \(mode 07\d\d\), .* chmod [67]00 on it, or use/
          )
          assert.strictEqual(modeOf(path), mode)
        }
      }
      chmodSync(folder, 0o700)
    }))

  it("is read only if it is this user's alone, and is no link", () =>
    within((folder) => {
      const file = join(folder, "file")
      assert.isUndefined(readPrivate(file))
      writePrivate(file, "text")
      assert.deepStrictEqual(readPrivate(file), { _tag: "Text", text: "text" })
      symlinkSync(file, join(folder, "link"))
      assert.strictEqual(readPrivate(join(folder, "link"))?._tag, "Fault")
      for (const mode of modes) {
        chmodSync(file, mode)
        assert.strictEqual(readPrivate(file)?._tag, (mode & 0o077) === 0 ? "Text" : "Fault")
      }
    }))

  it("holds a secret that its user gives if nobody but the members of its group may read it", () =>
    within((folder) => {
      const file = join(folder, "file")
      writeFileSync(file, "secret")
      for (const mode of modes) {
        chmodSync(file, mode)
        const read = readSecretFile(file)
        assert.strictEqual(read._tag, (mode & 0o026) === 0 ? "Text" : "Fault")
        if (read._tag === "Fault") {
          assert.match(read.fault, /^can be (read|written) by others \(mode 07\d\d\): run chmod 600/)
        }
      }
    }))
})

describe("the data of a manager", () => {
  it.live("is refused if others may write it or lie in the way, and kept from them if they may read it", () =>
    Effect.scoped(Effect.gen(function*() {
      const folder = yield* temporaryFolder
      const data = join(folder, "data")
      mkdirSync(data)
      for (const mode of [0o777, 0o775, 0o1777, 0o720]) {
        chmodSync(data, mode)
        const refused = yield* start(data)
        assert.strictEqual(refused?.reason, "folder")
        assert.include(refused?.message, `others may write the folder ${data}`)
      }
      chmodSync(data, 0o755)
      assert.isUndefined(yield* start(data))
      assert.strictEqual(modeOf(data), 0o700)
      for (const name of ["jobs.db", "jobs.db-lock", "lock.db"]) {
        assert.strictEqual(modeOf(join(data, name)), 0o600, name)
      }
    })))

  it.live("is the same for a store elsewhere, and for what is beside it", () =>
    Effect.scoped(Effect.gen(function*() {
      const folder = yield* temporaryFolder
      chmodSync(folder, 0o755)
      const store = join(folder, "elsewhere.db")
      const data = join(folder, "data")
      assert.isUndefined(yield* start(data, { store }))
      for (const file of [store, `${store}-lock`]) {
        assert.strictEqual(modeOf(file), 0o600)
        chmodSync(file, 0o644)
      }
      assert.isUndefined(yield* start(data, { store }))
      for (const file of [store, `${store}-lock`]) assert.strictEqual(modeOf(file), 0o600)
      for (const file of [store, `${store}-lock`, `${store}-wal`]) {
        writeFileSync(file, "", { flag: "a" })
        chmodSync(file, 0o666)
        const refused = yield* start(data, { store })
        assert.strictEqual(refused?.reason, "store")
        assert.include(refused?.message, `others may write the file ${file}`)
        chmodSync(file, 0o600)
      }
    })))
})
