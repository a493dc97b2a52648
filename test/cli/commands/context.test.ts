import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { bin, Started } from "../../support/cli.ts"
import { Server } from "../../support/cliServer.ts"

const tokens = { day: "the token of the manager by day", night: "the token of the manager by night" }

describe("autostop context, with two managers", () => {
  const folder = mkdtempSync(join(tmpdir(), "autostop-contexts-"))
  const file = join(folder, "autostop", "contexts.json")
  let day: Server
  let night: Server
  beforeAll(async () => {
    for (const [name, token] of Object.entries(tokens)) writeFileSync(join(folder, name), token, { mode: 0o600 })
    ;[day, night] = await Promise.all([
      Server.start([], { AUTOSTOP_TOKEN: tokens.day }),
      Server.start([], { AUTOSTOP_TOKEN: tokens.night })
    ])
    await day.post("/jobs", { id: "by-day", job: "greet", payload: { name: "Ada" } })
    await night.post("/jobs", { id: "by-night", job: "greet", payload: { name: "Ada" } })
  })
  afterAll(async () => {
    await Promise.all([day, night].map((server) => server[Symbol.asyncDispose]()))
    rmSync(folder, { recursive: true, force: true })
  })

  const command = async (args: ReadonlyArray<string>, env: Record<string, string> = {}) => {
    const started = new Started([bin, ...args], { XDG_CONFIG_HOME: folder, ...env })
    return { code: await started.ended(), stdout: started.stdout.trim(), stderr: started.stderr.trim() }
  }
  const ok = { code: 0, stdout: "", stderr: "" }
  /** The jobs of the manager that a command asks. */
  const jobs = async (args: ReadonlyArray<string> = [], env?: Record<string, string>) => {
    const { code, stderr, stdout } = await command(["list", "--format", "json", ...args], env)
    assert.strictEqual(code, 0, stderr)
    const infos: ReadonlyArray<{ readonly id: string }> = JSON.parse(stdout)
    return infos.map(({ id }) => id)
  }

  it("adds, uses and removes names of managers, and asks the one that is chosen, with its own token", async () => {
    const add = (name: string, { url }: Server) =>
      command(["context", "add", name, "--url", url, "--token-file", join(folder, name)])
    assert.deepStrictEqual(await add("day", day), ok)
    assert.deepStrictEqual(await add("night", night), ok)
    assert.deepStrictEqual(await command(["context", "use", "night"]), ok)
    assert.deepStrictEqual([statSync(file).mode & 0o777, statSync(join(folder, "autostop")).mode & 0o777], [
      0o600,
      0o700
    ])
    for (const token of Object.values(tokens)) assert.notInclude(readFileSync(file, "utf8"), token)

    const [current, flag, variable, url, table, json] = await Promise.all([
      jobs(),
      jobs(["--context", "day"]),
      jobs([], { AUTOSTOP_CONTEXT: "day", AUTOSTOP_TOKEN: tokens.night }),
      jobs([], { AUTOSTOP_CONTEXT: "night", AUTOSTOP_URL: day.url, AUTOSTOP_TOKEN: tokens.day }),
      command(["context", "list"], { AUTOSTOP_CONTEXT: "day" }),
      command(["context", "list", "--format", "json"])
    ])
    assert.deepStrictEqual([current, flag, variable, url], [["by-night"], ["by-day"], ["by-day"], ["by-day"]])
    assert.match(table.stdout, new RegExp(`^\\* +night +${night.url} +${join(folder, "night")}$`, "m"))
    assert.include(table.stderr, "AUTOSTOP_CONTEXT is set")
    for (const token of Object.values(tokens)) assert.notInclude(table.stdout + json.stdout, token)
    assert.deepStrictEqual(JSON.parse(json.stdout), [
      { name: "local", url: "http://127.0.0.1:19001", current: false },
      { name: "day", url: day.url, tokenFile: join(folder, "day"), current: false },
      { name: "night", url: night.url, tokenFile: join(folder, "night"), current: true }
    ])

    const [unknown, twice, local] = await Promise.all([
      command(["list", "--context", "noon"]),
      add("day", day),
      command(["context", "remove", "local"])
    ])
    assert.deepStrictEqual(unknown, {
      code: 2,
      stdout: "",
      stderr: "autostop: there is no context \"noon\"; known: local, day, night"
    })
    assert.strictEqual(twice.code, 2)
    assert.include(twice.stderr, "there is a context \"day\" already")
    assert.strictEqual(local.code, 2)

    await day[Symbol.asyncDispose]()
    const gone = await command(["list", "--context", "day"])
    assert.include(gone.stderr, `no job manager answers at ${day.url} (context day)`)

    const removed = await command(["context", "remove", "night"])
    assert.deepStrictEqual(removed, { ...ok, stderr: "autostop: the current context is \"local\" now" })
    const left = await command(["context", "list", "--format", "json"])
    assert.deepStrictEqual(
      JSON.parse(left.stdout).map(({ current, name }: Record<string, unknown>) => [name, current]),
      [["local", true], ["day", false]]
    )
  })
})
