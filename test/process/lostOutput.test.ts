import { assert, describe, it } from "@effect/vitest"
import { a, gone, shell } from "./lostOutput.ts"

const run = `${a} run "$JOB" --payload '{"act":"end"}'`

describe("output that cannot be written is not exit 0", () => {
  for (const format of ["pretty", "json"]) {
    it(`the report of run as ${format} on a full device, and it says why`, async () => {
      const { code, stderr } = await shell(`${run} --format ${format} > /dev/full`)
      assert.strictEqual(code, 1, stderr)
      assert.match(stderr, /stdout could not be written: ENOSPC/)
    })

    it(`the report of run as ${format} to a reader that has gone away, in silence`, async () => {
      const { code, stderr } = await shell(`${run} --format ${format} 2>/dev/null ${gone}`)
      assert.strictEqual(code, 1, stderr)
      assert.strictEqual(stderr, "")
    })
  }

  it("the events of run on a stderr that is full", async () => {
    assert.strictEqual((await shell(`${run} 2> /dev/full`)).code, 1)
  })

  it("the report of run on a full device that is a file of its own", async () => {
    const { code, stderr } = await shell(`${run} --report /dev/full`)
    assert.strictEqual(code, 1)
    assert.match(stderr, /--report \/dev\/full cannot be written: ENOSPC/)
  })

  it("the report of an isolated run", async () => {
    assert.strictEqual((await shell(`${run} --isolate > /dev/full`)).code, 1)
  })

  it("a worse exit code stays", async () => {
    const { code } = await shell(`${a} run "$JOB" --payload '{"act":"exit"}' > /dev/full`)
    assert.strictEqual(code, 7)
  })

  it("each command that only prints", async () => {
    for (const command of ["--version", "--help", "--completions bash"]) {
      assert.strictEqual((await shell(`${a} ${command} > /dev/full`)).code, 1, command)
    }
  })
})
