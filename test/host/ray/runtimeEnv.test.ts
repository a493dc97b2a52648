import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { uploadRuntimeEnv } from "../../../src/host/ray/runtimeEnv.ts"

/** The names of the files of an archive. */
const namesIn = (archive: Buffer): ReadonlyArray<string> => {
  const names: Array<string> = []
  const end = archive.length - 22
  let at = archive.readUInt32LE(end + 16)
  while (at < end) {
    const length = archive.readUInt16LE(at + 28)
    names.push(archive.toString("utf8", at + 46, at + 46 + length))
    at += 46 + length
  }
  assert.strictEqual(names.length, archive.readUInt16LE(end + 10))
  return names
}

/** The names of the files of the last upload for a `runtime_env`. */
const uploaded = async (runtimeEnv: Readonly<Record<string, unknown>>): Promise<ReadonlyArray<string>> => {
  const archives: Array<Buffer> = []
  const upload = (archive: Uint8Array) => Effect.succeed(`gcs://${archives.push(Buffer.from(archive))}.zip`)
  await Effect.runPromise(uploadRuntimeEnv({ upload }, runtimeEnv))
  return namesIn(archives.at(-1) ?? assert.fail("nothing was uploaded"))
}

describe("a working directory", () => {
  let folder = ""
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "autostop-"))
    mkdirSync(join(folder, "one", "deep"), { recursive: true })
    mkdirSync(join(folder, "two"))
    writeFileSync(join(folder, "one", "deep", "file"), "1")
    writeFileSync(join(folder, "top"), "2")
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  it("is uploaded with the targets of its links, but never within themselves", async () => {
    symlinkSync("../one/deep", join(folder, "two", "linked"))
    for (const name of ["self", "again"]) symlinkSync("..", join(folder, "one", name))
    symlinkSync("nowhere", join(folder, "broken"))
    assert.deepStrictEqual(await uploaded({ working_dir: folder }), ["one/deep/file", "top", "two/linked/file"])
  })

  it("is refused with `excludes`, which would have no effect", async () => {
    const error = await uploaded({ working_dir: folder, excludes: ["one"] }).catch(String)
    assert.include(error, "excludes of runtime_env is of no use here")
  })
})
