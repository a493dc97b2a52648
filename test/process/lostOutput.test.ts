import { assert, describe, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { bin, fixture } from "../support/cli.ts"
import { Server } from "../support/cliServer.ts"

/** Runs a line of a shell in which `$A` is the command line; resolves to its exit code and what it says on stderr. */
const shell = async (line: string) => {
  const child = spawn("bash", ["-c", `set -o pipefail; ${line}`], {
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, NODE: process.execPath, BIN: bin, JOB: fixture("life.ts"), LIFE: `{"act":"end"}` }
  })
  let stderr = ""
  child.stderr.on("data", (chunk: Buffer) => stderr += chunk)
  await once(child, "close")
  return { code: child.exitCode, stderr }
}

const a = `"$NODE" "$BIN"`
const run = `${a} run "$JOB" --payload '{"act":"end"}'`
/** A reader that has gone away before anything is written. */
const gone = "| (exec <&-; exit 0)"

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

  it("each command that asks a manager, on a full device and to a reader that has gone away", async () => {
    await using server = await Server.start()
    const id = await server.submit({ name: "Ada" })
    await server.stopped(id)
    for (
      const command of ["list", "info", "health", `status ${id}`, `events ${id}`, `events -f ${id}`, `report ${id}`]
    ) {
      for (const to of ["> /dev/full", gone]) {
        const { code, stderr } = await shell(`${a} ${command} --url ${server.url} ${to}`)
        assert.strictEqual(code, 1, `${command} ${to}: ${stderr}`)
        assert.strictEqual(stderr === "", to === gone, `${command} ${to}: ${stderr}`)
      }
    }
  })
})
