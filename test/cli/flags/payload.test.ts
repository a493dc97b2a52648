import { assert, describe, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { maxStdinBytes } from "../../../src/cli/flags/readStdin.ts"
import { bin, fixture, Started } from "../../support/cli.ts"

/** Runs the job `show` with a payload flag and what it reads from stdin; `undefined` leaves stdin open. */
const show = async (payload: ReadonlyArray<string>, stdin: string | undefined, schema = "text") => {
  const child = spawn(process.execPath, [bin, "run", fixture("show.ts"), ...payload], {
    env: { ...process.env, NO_COLOR: "1", PAYLOAD: schema }
  })
  const output = { stdout: "", stderr: "" }
  child.stdout.on("data", (text) => output.stdout += text)
  child.stderr.on("data", (text) => {
    output.stderr += text
    if (stdin === undefined && output.stderr.includes("has not ended yet")) child.kill("SIGTERM")
  })
  // it may have ended before it has read all
  child.stdin.on("error", () => {})
  if (stdin !== undefined) child.stdin.end(stdin)
  const [code] = await once(child, "close")
  return { code, ...output }
}

describe("--payload", () => {
  it("@- reads JSON from stdin, however many pieces that comes in, and with a byte order mark", async () => {
    const small = await show(["--payload", "@-"], "\uFEFF\"one\"\n")
    assert.include(small.stdout, "payload \"one\"\n")
    assert.strictEqual(small.code, 0, small.stderr)
    const large = await show(["--payload", "@-"], JSON.stringify("é".repeat(500_000)))
    assert.include(large.stdout, "payload 500002\n")
    const isolated = await show(["--payload", "@-", "--isolate"], "\"two\"")
    assert.include(isolated.stdout, "payload \"two\"\n")
  })

  it("@- refuses what is no JSON, and more than the limit, with one line", async () => {
    const empty = await show(["--payload", "@-"], "")
    assert.match(empty.stderr, /^autostop: --payload is not JSON: [^\n]*\n$/)
    assert.strictEqual(empty.code, 2)
    const large = await show(["--payload", "@-"], " ".repeat(maxStdinBytes + 1))
    assert.strictEqual(large.stderr, "autostop: --payload is more than 16 MiB; expected less on stdin\n")
    assert.strictEqual(large.code, 2)
  })

  it("@- says that it waits for a stdin that does not end, and a signal ends the wait", async () => {
    const { code, stderr } = await show(["--payload", "@-"], undefined)
    assert.include(stderr, "autostop: --payload is read from stdin, which has not ended yet\n")
    assert.strictEqual(code, 143)
  })

  it("- reads JSON from stdin, too", async () => {
    assert.include((await show(["--payload", "-"], "\"one\"")).stdout, "one")
  })

  it.each([["void", "nothing"], ["maybe", "nothing"], ["optional", "{}"]])(
    "may be left out by a job that needs none (%s)",
    async (schema, shown) => {
      const { code, stderr, stdout } = await show([], "", schema)
      assert.include(stdout, `payload ${shown}\n`)
      assert.strictEqual(code, 0, stderr)
    }
  )
})

describe("a setting that cannot be used is refused with one form", () => {
  const program = fileURLToPath(new URL("../jobs/main.ts", import.meta.url))
  const show = [bin, "run", fixture("show.ts"), "--payload", "1"]
  it.each<[string, ReadonlyArray<string>, Record<string, string>]>([
    ["of the command line, as a flag", [...show, "--deadline", "soon"], {}],
    ["of the command line, as a variable", show, { AUTOSTOP_DRAIN_TIMEOUT: "soon" }],
    ["of the command line, as the deadline of the process", show, { AUTOSTOP_DEADLINE: "soon" }],
    ["of the command line, as a payload", show, {}],
    ["of a program, as a variable", [program], { AUTOSTOP_DRAIN_TIMEOUT: "soon" }],
    ["of a program, as the deadline of the process", [program], { AUTOSTOP_DEADLINE: "soon" }]
  ])("%s", async (_, args, env) => {
    const run = new Started(args, env)
    assert.strictEqual(await run.ended(), 2, run.stderr)
    assert.match(run.stderr, /^autostop: [^\n]*\n$/)
    assert.match(
      run.stderr,
      / is "soon"; expected a duration|payload of "show" does not fit its Schema: Expected string/
    )
  })
})
