import { assert, describe, it } from "@effect/vitest"
import { cpSync, existsSync, rmSync } from "node:fs"
import { join } from "node:path"
import { bin, Started } from "../support/cli.ts"
import { Server } from "../support/cliServer.ts"

const autostop = async (...args: ReadonlyArray<string>) => {
  const command = new Started([bin, ...args])
  return { code: await command.ended(), stderr: command.stderr }
}

describe("the store of a job manager", () => {
  it("is copied while the manager works with it, and a manager goes on with the copy", async () => {
    await using server = await Server.start()
    const ids = await Promise.all(Array.from({ length: 20 }, async (_, n) => {
      await server.post("/jobs", { job: "greet", id: `job-${n}`, payload: { name: "Ada" } })
      return `job-${n}`
    }))
    const copy = join(server.folder, "copy.db")
    assert.deepStrictEqual(await autostop("backup", copy, "--data", server.folder), { code: 0, stderr: "" })
    assert.isFalse(existsSync(`${copy}-wal`))
    server.server.signal("SIGKILL")
    await server.server.ended()
    // the restore that the docs describe
    const store = join(server.folder, "jobs.db")
    for (const file of [store, `${store}-wal`, `${store}-shm`]) rmSync(file, { force: true })
    cpSync(copy, store)
    await server.again()
    for (const id of ids) await server.info(id)
  })

  it("is not copied over a file, and one that is not there or in PostgreSQL is refused in one line", async () => {
    await using server = await Server.start()
    const taken = join(server.folder, "lock.db")
    const free = join(server.folder, "copy.db")
    for (
      const [args, says] of [
        [[taken, "--data", server.folder], "exists"],
        [[free, "--data", join(server.folder, "none")], "there is no store"],
        [[free, "--store", "postgres://a@127.0.0.1/b"], "pg_dump"],
        [[join(server.folder, "none/copy.db"), "--data", server.folder], "cannot be copied"]
      ] as const
    ) {
      const { code, stderr } = await autostop("backup", ...args)
      assert.strictEqual(code, 2)
      assert.match(stderr, /^autostop: .*\n$/)
      assert.include(stderr, says)
    }
    assert.isFalse(existsSync(free))
  })

  it("is missed at once if its folder is deleted: the manager is not ready, and takes no job", async () => {
    await using server = await Server.start()
    assert.strictEqual((await fetch(`${server.url}/health/ready`)).status, 204)
    rmSync(server.folder, { recursive: true })
    assert.strictEqual((await fetch(`${server.url}/health/ready`)).status, 503)
    const answer = await server.fetch("/jobs", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ job: "greet", payload: { name: "Ada" } })
    })
    assert.strictEqual(answer.status, 503)
    assert.include(await answer.text(), "was deleted or replaced")
    assert.strictEqual(await server.server.signal("SIGTERM").ended(), 143)
  })
})
