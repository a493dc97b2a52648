import { assert, describe, it } from "@effect/vitest"
import { chmodSync, chownSync, copyFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { spawnSync } from "node:child_process"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { bin, Started } from "../support/cli.ts"

/** The user `nobody`, as whom a process of root can run another one. */
const nobody = 65_534
const greet = fileURLToPath(new URL("./fixtures/greet.ts", import.meta.url))

/** What another user of the machine tries, in a process of that user. Prints what succeeded. */
const attempts = `
const { readFileSync, readdirSync, writeFileSync } = require("node:fs")
const { DatabaseSync } = require("node:sqlite")
const { join } = require("node:path")
const [data, state, url] = process.argv.slice(1)
const done = []
const tried = (what, f) => { try { f(); done.push(what) } catch {} }
const names = ["jobs.db", "jobs.db-wal", "jobs.db-shm", "jobs.db-lock", "lock.db", "local.token", "results", "logs"]
tried("list the data", () => readdirSync(data))
tried("list the records", () => readdirSync(join(state, "autostop")))
for (const name of names) {
  tried("read " + name, () => readFileSync(join(data, name)))
  tried("list " + name, () => readdirSync(join(data, name)))
  tried("write " + name, () => writeFileSync(join(data, name), "", { flag: "a" }))
  if (/db/.test(name)) tried("lock " + name, () => new DatabaseSync(join(data, name)).exec("BEGIN EXCLUSIVE"))
}
const headers = { "content-type": "application/json" }
const body = JSON.stringify({ job: "greet", payload: { name: "Eve" } })
Promise.all([
  ["submit", "/jobs", { method: "POST", headers, body }],
  ["list", "/jobs", {}],
  ["upload", "/bundles/" + "0".repeat(64), { method: "PUT", headers, body: "{}" }],
  ["read the page", "/docs", {}],
  ["read the metrics", "/metrics", {}]
].map(async ([what, path, init]) => { if ((await fetch(url + path, init)).status !== 401) done.push(what) }))
  .then(() => process.stdout.write(JSON.stringify(done)))
`

// only root can start a process of another user
describe.runIf(process.getuid?.() === 0)("another user of the machine", () => {
  it("can do nothing with a manager of this one, nor offer it a folder", async () => {
    const folder = mkdtempSync(join(tmpdir(), "autostop-other-"))
    chmodSync(folder, 0o755)
    const [data, state, node] = [join(folder, "data"), join(folder, "state"), join(folder, "node")]
    mkdirSync(state)
    // the other user may not enter the folder where this Node is
    copyFileSync(process.execPath, node)
    chmodSync(node, 0o755)
    const env = { XDG_STATE_HOME: state }
    const manager = new Started([bin, "serve", "--port", "0", "--jobs", greet, "--data", data], env)
    try {
      await manager.said("listens on")
      const url = /http:\/\/\S+/.exec(manager.stdout)?.[0] ?? assert.fail(manager.stdout)
      const submit = new Started(
        [bin, "submit", "greet", "--wait", "--payload", "{\"name\":\"Ada\"}", "--url", url],
        env
      )
      assert.strictEqual(await submit.ended(), 0, submit.stderr)
      const other = spawnSync(node, ["--no-warnings", "-e", attempts, data, state, url], {
        uid: nobody,
        gid: nobody,
        cwd: folder,
        env: {},
        encoding: "utf8"
      })
      assert.strictEqual(other.stdout, "[]", `${other.error} ${other.stderr}`)
      // the attempts themselves work: their user can read what is open
      chmodSync(data, 0o755)
      chmodSync(join(data, "jobs.db"), 0o644)
      const open = spawnSync(node, ["--no-warnings", "-e", attempts, data, state, url], {
        uid: nobody,
        gid: nobody,
        cwd: folder,
        env: {},
        encoding: "utf8"
      })
      assert.include(JSON.parse(open.stdout), "read jobs.db")
      const theirs = join(folder, "theirs")
      mkdirSync(theirs)
      chownSync(theirs, nobody, nobody)
      const refused = new Started([bin, "serve", "--port", "0", "--data", theirs], env)
      assert.strictEqual(await refused.ended(), 2)
      assert.match(
        refused.stderr,
        /^autostop: the folder \S+ belongs to another user \(65534, this is 0\): give it to this/
      )
    } finally {
      manager.signal("SIGKILL")
      await manager.ended()
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
