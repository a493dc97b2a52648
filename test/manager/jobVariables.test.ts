import { assert, describe, it } from "@effect/vitest"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll } from "vitest"
import { bin, Started } from "../support/cli.ts"
import { Server } from "../support/cliServer.ts"

const work = fileURLToPath(new URL("./fixtures/work.ts", import.meta.url))

/** Runs the job that returns its environment. */
const environmentOf = async (server: Server, ...args: ReadonlyArray<string>): Promise<Record<string, string>> => {
  const { code, stderr, stdout } = await server.run("submit", "work", "--payload", `{"act":"env"}`, ...args)
  assert.strictEqual(code, 0, stderr)
  await server.stopped(stdout)
  return JSON.parse(JSON.parse(await server.ask(`/jobs/${stdout}/result`)).exit.value.text)
}

describe("the variables of a job at a manager", () => {
  const folder = mkdtempSync(join(tmpdir(), "autostop-variables-"))
  afterAll(() => rmSync(folder, { recursive: true }))
  const variables = {
    DATABASE_URL: "postgres://of-the-manager",
    OF_NOBODY: "hidden",
    AUTOSTOP_RAY_TOKEN: "of-the-cluster",
    AUTOSTOP_KILL_TIMEOUT: "1s"
  }

  it("are those that its manager passes on, and those that its submit names, whose values are nowhere stored", async () => {
    const file = join(folder, "jobs.env")
    writeFileSync(file, "# of the jobs\nAPI_KEY=\"very secret\"\nOTHER_KEY=other\n")
    await using server = await Server.start(
      ["--jobs", work, "--env", "DATABASE_URL", "--env", "NOT_SET", "--env-from", file],
      variables
    )
    const usual = await environmentOf(server)
    assert.strictEqual(usual["DATABASE_URL"], variables.DATABASE_URL)
    assert.strictEqual(usual["AUTOSTOP_KILL_TIMEOUT"], "1s")
    for (const name of ["OF_NOBODY", "AUTOSTOP_RAY_TOKEN", "API_KEY", "OTHER_KEY", "NOT_SET"]) {
      assert.isUndefined(usual[name], name)
    }
    const adds = await server.run("submit", "work", "--payload", `{"act":"add"}`, "--env", "API_KEY")
    await server.stopped(adds.stdout)
    const stored = ["jobs.db", "jobs.db-wal"].map((name) => readFileSync(join(server.folder, name), "latin1")).join("")
    assert.include(stored, "API_KEY")
    assert.notInclude(stored, "very secret")
    const named = await environmentOf(server, "--env", "API_KEY")
    assert.strictEqual(named["API_KEY"], "very secret")
    assert.isUndefined(named["OTHER_KEY"])
    const refused = await server.run("submit", "work", "--payload", `{"act":"env"}`, "--env", "UNKNOWN")
    assert.strictEqual(refused.code, 2)
    assert.strictEqual(
      refused.stderr,
      `autostop: this job manager has no variable "UNKNOWN" for jobs; there are DATABASE_URL, NOT_SET, API_KEY, OTHER_KEY`
    )
  })

  it("are refused where they are no variables, or the manager's own", async () => {
    const wrong = join(folder, "wrong.env")
    writeFileSync(wrong, "AUTOSTOP_TOKEN=a")
    const cases = [
      [["serve", "--env", "A-B"], /^autostop: --env is "A-B"; expected the name of a variable: letters.*\n$/],
      [
        ["serve", "--env", "AUTOSTOP_TOKEN"],
        /^autostop: --env is "AUTOSTOP_TOKEN"; expected .* not the manager's own\n$/
      ],
      [["serve", "--env-from", wrong], /^autostop: --env-from is "AUTOSTOP_TOKEN"; expected .*\n$/],
      [["serve", "--env-from", join(folder, "none")], /^autostop: --env-from .* cannot be read: .*\n$/],
      [["submit", "work", "--env", "1A"], /^autostop: --env is "1A"; expected the name of a variable.*\n$/]
    ] as const
    for (const [args, says] of cases) {
      const command = new Started([bin, ...args, ...(args[0] === "serve" ? ["--data", join(folder, "data")] : [])])
      assert.strictEqual(await command.ended(), 2)
      assert.match(command.stderr, says)
    }
  })
})
