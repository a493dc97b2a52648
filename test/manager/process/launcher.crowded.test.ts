import { assert, describe, it } from "@effect/vitest"
import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"

const main = fileURLToPath(new URL("./crowded.main.ts", import.meta.url))

describe("a machine without file descriptors for another process", () => {
  it("lets the job fail, refuses the submission, and lets the manager go on", async () => {
    const limited = ["-c", "ulimit -n 100; exec \"$0\" \"$1\"", process.execPath, main]
    const { stdout } = await promisify(execFile)("sh", limited)
    const [, job, submission] = stdout.split("\n")
    assert.match(job ?? "", /^the process of the job could not be started: spawn .* EMFILE$/)
    assert.match(submission ?? "", /greet\.ts could not be loaded: its process could not be started: spawn .* EMFILE$/)
  })
})
