import { assert, describe, it } from "@effect/vitest"
import { fileURLToPath } from "node:url"
import { Started } from "../../support/cli.ts"

const program = fileURLToPath(new URL("./wasmCode.main.ts", import.meta.url))
const flags = ["--expose-gc", "--stress-wasm-code-gc", "--trace-wasm-code-gc", "--wasm-wrapper-tiering-budget=1"]

/** Whether V8 frees WebAssembly that nobody calls any more. */
const frees = async (...args: ReadonlyArray<string>): Promise<boolean> => {
  const run = new Started([...flags, program, ...args])
  assert.strictEqual(await run.ended(), 0, run.stderr)
  assert.include(run.stdout, "done")
  return run.stdout.includes("Freeing")
}

describe("WebAssembly that no thread calls any more", () => {
  it("is freed by V8 where no host is a thread", async () => {
    assert.isTrue(await frees())
  })

  it("is kept by the V8 that may free it twice, once a host is a thread", async () => {
    const isAffected = process.versions.v8.startsWith("13.6.")
    assert.strictEqual(await frees("thread"), !isAffected)
  })
})
